//! The identifiers of everything Beadle keeps: a type each, so that one can never stand in for another.

/// Defines an identifier: a UUIDv7 written as text, made by the program, never a secret.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new identifier, ordered by the time of its making.
            #[must_use]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7().to_string())
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl<Db> diesel::serialize::ToSql<diesel::sql_types::Text, Db> for $name
        where
            Db: diesel::backend::Backend,
            String: diesel::serialize::ToSql<diesel::sql_types::Text, Db>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, Db>,
            ) -> diesel::serialize::Result {
                self.0.to_sql(out)
            }
        }

        impl<Db> diesel::deserialize::FromSql<diesel::sql_types::Text, Db> for $name
        where
            Db: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, Db>,
        {
            fn from_sql(bytes: Db::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                String::from_sql(bytes).map(Self)
            }
        }
    };
}

identifier!(/// A council: the tenant.
    CouncilId);
identifier!(/// Someone who may sign in.
    OperatorId);
identifier!(/// One sign-in of an operator.
    SessionId);
identifier!(/// A passkey of an operator.
    PasskeyId);
identifier!(/// A bearer token of the API.
    TokenId);
identifier!(/// Someone who may hold a device.
    PersonId);
identifier!(/// An item on the equipment register.
    AssetId);
identifier!(/// A managed phone or tablet.
    DeviceId);
identifier!(/// One generation of a device under management.
    EnrolmentId);
identifier!(/// A link by which a holder enrols a device.
    InvitationId);
identifier!(/// A one-use SCEP challenge.
    ChallengeId);
identifier!(/// A council's certificate authority.
    AuthorityId);
identifier!(/// A council's push certificate, or the request for one.
    PushCertificateId);
identifier!(/// One thing asked of one device; Apple's CommandUUID.
    CommandId);
identifier!(/// An authorised instruction to destroy data.
    OrderId);
identifier!(/// A reported loss, or a leaver, and everything done about it.
    CaseId);
identifier!(/// A fault of an item on the register.
    FaultId);
identifier!(/// A legal hold.
    HoldId);
identifier!(/// An announcement that one operator works alone.
    OneOperatorId);
identifier!(/// One mail by which somebody is told of such an announcement, or of an order under it.
    NoticeId);
identifier!(/// A background job.
    JobId);
identifier!(/// An alert.
    AlertId);
identifier!(/// A council's enterprise at Google, as Beadle keeps it.
    EnterpriseId);
identifier!(/// A sign-up of a council at Google.
    SignUpId);
identifier!(/// An enrolment token of Google's.
    AndroidTokenId);
identifier!(/// One call of devices.issueCommand and what became of it.
    GoogleOperationId);
