//! A council with people and phones, made row by row, and short words for what they do.

use chrono::Duration;
use diesel::connection::SimpleConnection as _;

use crate::error::Result;
use crate::model::{
    Actor, AssetId, CaseId, CommandId, CouncilId, DeviceId, EnrolmentId, Moment, OperatorId, OrderId, OrderState,
    Release, Role, SessionId, SignedIn,
};
use crate::operations::cases::{CaseAnswer, CaseView};
use crate::operations::losses::{self, NewLoss, Reported};
use crate::operations::orders::{self, NewOrder, OrderView, Outcome};
use crate::operations::{Context, audit};
use crate::store::orders::Order;
use crate::store::{self, AnyConnection, Transaction};
use crate::testing::Bench;

pub(crate) struct Scene {
    pub(crate) bench: Bench,
    pub(crate) council: CouncilId,
    pub(crate) clerk: OperatorId,
    pub(crate) chair: OperatorId,
    pub(crate) provider: OperatorId,
}

/// What a clerk is told of his report.
pub(crate) struct Told {
    pub(crate) case: CaseView,
    pub(crate) opened: bool,
    pub(crate) lock: Option<CommandId>,
    pub(crate) warnings: Vec<String>,
}

pub(crate) struct Phone {
    pub(crate) tag: String,
    pub(crate) asset: AssetId,
    pub(crate) device: DeviceId,
    pub(crate) enrolment: EnrolmentId,
}

pub(crate) fn sql_time(at: Moment) -> String {
    at.utc().format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

impl Scene {
    pub(crate) async fn new(bench: Bench) -> Self {
        let council = bench.council("germoe").await;
        let scene =
            Self { bench, council, clerk: OperatorId::new(), chair: OperatorId::new(), provider: OperatorId::new() };
        for (id, role, council) in
            [(&scene.clerk, "clerk", true), (&scene.chair, "approver", true), (&scene.provider, "provider", false)]
        {
            scene.add_operator(id, role, council.then_some(&scene.council));
        }
        scene
    }

    /// An account that has stood for years.
    pub(crate) fn add_operator(&self, id: &OperatorId, role: &str, council: Option<&CouncilId>) {
        let council = council.map_or("NULL".to_owned(), |council| format!("'{council}'"));
        self.sql(&format!(
            "INSERT INTO operators (id, council_id, login, name, role, password_hash, must_change_password, \
             made_at_set_up, standing_since, sealed_totp, mfa_since, created_at) VALUES ('{id}', {council}, '{id}', \
             'the {role}', '{role}', '', FALSE, FALSE, '2020-01-01 00:00:00', {blob}, '2020-01-01 00:00:00', \
             '2020-01-01 00:00:00')",
            blob = self.blob("00"),
        ))
        .expect("an operator");
    }

    pub(crate) fn blob(&self, hex: &str) -> String {
        if self.bench.database.is_postgres() { format!("'\\x{hex}'") } else { format!("x'{hex}'") }
    }

    /// Hand-written SQL, past every door.
    pub(crate) fn sql(&self, sql: &str) -> Result<()> {
        self.bench.database.with_own_connection(|connection| match connection {
            AnyConnection::Sqlite(connection) => Ok(connection.batch_execute(sql)?),
            AnyConnection::Postgres(connection) => Ok(connection.batch_execute(sql)?),
        })
    }

    /// A council's supervised iPhone, enrolled and just heard from.
    pub(crate) fn phone(&self, tag: &str) -> Phone {
        self.phone_of(&self.council.clone(), tag, "supervised", "council")
    }

    pub(crate) fn phone_of(&self, council: &CouncilId, tag: &str, mode: &str, ownership: &str) -> Phone {
        let (asset, device) = (AssetId::new(), DeviceId::new());
        let now = sql_time(self.bench.clock.now());
        self.sql(&format!(
            "INSERT INTO people (council_id, id, name, created_at) VALUES ('{council}', 'person-{device}', 'Mrs P', '{now}'); \
             INSERT INTO assets (council_id, id, tag, kind, make, model, platform, ownership, created_at) VALUES \
             ('{council}', '{asset}', '{tag}', 'phone', 'Apple', 'iPhone 15', 'apple', '{ownership}', '{now}'); \
             INSERT INTO devices (council_id, id, asset_id, platform, udid, serial, product, created_at) VALUES \
             ('{council}', '{device}', '{asset}', 'apple', 'udid-{device}', 'SERIAL-{tag}', 'iPhone15,4', '{now}'); \
             INSERT INTO authorities (council_id, id, certificate, sealed_key, not_before, not_after, created_at) VALUES \
             ('{council}', 'authority-{device}', {blob}, {blob}, '{now}', '{now}', '{now}');",
            blob = self.blob("00"),
        ))
        .expect("a phone");
        let enrolment = self.enrol(council, &device, &asset, mode, ownership, 1);
        Phone { tag: tag.to_owned(), asset, device, enrolment }
    }

    /// One more generation of a device, with an identity of its own.
    pub(crate) fn enrol(
        &self,
        council: &CouncilId,
        device: &DeviceId,
        asset: &AssetId,
        mode: &str,
        ownership: &str,
        generation: i64,
    ) -> EnrolmentId {
        let id = EnrolmentId::new();
        let now = sql_time(self.bench.clock.now());
        self.sql(&format!(
            "INSERT INTO invitations (council_id, id, code_hash, asset_id, person_id, mode, ownership, state, created_by, \
             created_at, expires_at) VALUES ('{council}', 'invitation-{id}', 'hash-{id}', '{asset}', 'person-{device}', \
             '{mode}', '{ownership}', 'used', 'test', '{now}', '{now}'); \
             INSERT INTO enrolments (council_id, id, device_id, generation, platform, mode, ownership, invitation_id, \
             state, confirmation, fingerprint, topic, authenticated_at, enrolled_at, last_seen_at) VALUES ('{council}', \
             '{id}', '{device}', {generation}, 'apple', '{mode}', '{ownership}', 'invitation-{id}', 'enrolled', \
             'not_needed', 'print-{id}', 'topic', '{now}', '{now}', '{now}'); \
             INSERT INTO scep_challenges (council_id, id, challenge_hash, invitation_id, created_at, expires_at) VALUES \
             ('{council}', 'challenge-{id}', 'challenge-{id}', 'invitation-{id}', '{now}', '{now}'); \
             INSERT INTO certificates (council_id, serial, authority_id, fingerprint, public_key_fingerprint, \
             challenge_id, invitation_id, enrolment_id, certificate, not_before, not_after, issued_at) VALUES \
             ('{council}', '{id}', 'authority-{device}', 'print-{id}', 'key-{id}', 'challenge-{id}', 'invitation-{id}', \
             '{id}', {blob}, '{now}', '{now}', '{now}');",
            blob = self.blob("00"),
        ))
        .expect("an enrolment");
        id
    }

    /// Someone who signed in with everything a minute ago.
    pub(crate) fn signed_in(&self, operator: &OperatorId, role: Role) -> SignedIn {
        SignedIn {
            operator: operator.clone(),
            session: SessionId::new(),
            name: format!("the {role}"),
            role,
            council: (role != Role::Provider).then(|| self.council.clone()),
            mfa: true,
            reauthenticated_at: Some(self.bench.clock.now() - Duration::minutes(1)),
            must_change_password: false,
        }
    }

    pub(crate) fn clerk(&self) -> Actor {
        Actor::Operator(self.signed_in(&self.clerk, Role::Clerk))
    }

    pub(crate) fn chair(&self) -> Actor {
        Actor::Operator(self.signed_in(&self.chair, Role::Approver))
    }

    pub(crate) fn provider(&self) -> Actor {
        Actor::Operator(self.signed_in(&self.provider, Role::Provider))
    }

    /// Runs an operation as `actor`, now.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        actor: Actor,
        operation: impl Fn(&mut Transaction<'_>, &Context) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let context = self.bench.context(actor);
        self.bench.database.write("test", move |tx| operation(tx, &context)).await
    }

    pub(crate) fn loss_of(phone: &Phone) -> NewLoss {
        NewLoss {
            asset: phone.asset.clone(),
            reporter: "Mrs P".to_owned(),
            happened_at: None,
            place: "the train".to_owned(),
            circumstances: String::new(),
            aware_at: None,
            contact_message: String::new(),
            contact_number: String::new(),
            police_reference: String::new(),
        }
    }

    /// The clerk, who may read cases, reports a loss.
    pub(crate) async fn report(&self, phone: &Phone) -> Told {
        let new = Self::loss_of(phone);
        let Reported { case, opened, lock, warnings } =
            self.run(self.clerk(), move |tx, context| losses::report(tx, context, &new)).await.expect("reported");
        let CaseAnswer::Case(case) = case else { panic!("a clerk reads cases: {case:?}") };
        Told { case: *case, opened, lock, warnings }
    }

    /// How many rows of this kind the council's trail has about `subject`.
    pub(crate) async fn rows(&self, kind: &'static str, subject: &str) -> usize {
        let (council, subject) = (self.council.clone(), subject.to_owned());
        let rows = self
            .run(Actor::System, move |tx, _| store::audit::of_subject(tx, council.as_str(), &subject, 1000))
            .await
            .expect("reads");
        rows.iter().filter(|(row, _)| row.kind == kind).count()
    }

    pub(crate) async fn ask(&self, actor: Actor, phone: &Phone, case: &CaseId) -> Result<OrderView> {
        let new = NewOrder { case: case.clone(), asset_tag: phone.tag.clone(), reason: "stolen".to_owned() };
        self.run(actor, move |tx, context| orders::request(tx, context, &new)).await
    }

    pub(crate) async fn approve(&self, actor: Actor, order: &OrderId) -> Result<OrderView> {
        let order = order.clone();
        self.run(actor, move |tx, context| orders::approve(tx, context, &order)).await
    }

    pub(crate) async fn cancel(&self, actor: Actor, order: &OrderId) -> Result<OrderView> {
        let order = order.clone();
        self.run(actor, move |tx, context| orders::cancel(tx, context, &order)).await
    }

    pub(crate) async fn resume(&self, actor: Actor, order: &OrderId) -> Result<OrderView> {
        let order = order.clone();
        self.run(actor, move |tx, context| orders::resume(tx, context, &order)).await
    }

    /// Reported lost, asked for, waiting for approval.
    pub(crate) async fn requested(&self, phone: &Phone) -> OrderView {
        let case = self.report(phone).await.case.id;
        self.ask(self.clerk(), phone, &case).await.expect("requested")
    }

    /// Reported lost, asked for and approved.
    pub(crate) async fn approved(&self, phone: &Phone) -> OrderView {
        let order = self.requested(phone).await;
        self.approve(self.chair(), &order.id).await.expect("approved")
    }

    /// The phone asks what is next, as far as orders go.
    pub(crate) async fn idle(&self, phone: &Phone) -> Option<Release> {
        let (council, id) = (self.council.clone(), phone.enrolment.clone());
        self.run(Actor::System, move |tx, context| {
            let enrolment = store::enrolments::find(tx, &council, &id)?.expect("an enrolment");
            let claimable = orders::claimable(tx, context, &enrolment)?;
            // What a visit is told at its door must never hide an order.
            let told = store::certificates::identity(tx, &enrolment.fingerprint)?;
            assert!(!claimable || told.is_some_and(|(_, has_more)| has_more), "an order is looked for");
            if enrolment.ended_at.is_some() || !claimable {
                return Ok(None);
            }
            orders::claim(tx, context, &enrolment)
        })
        .await
        .expect("polls")
    }

    /// The phone answers its order.
    pub(crate) async fn answer(&self, phone: &Phone, release: &Release, outcome: Outcome) {
        let (council, id, command) = (self.council.clone(), phone.enrolment.clone(), release.command().clone());
        let settled = self
            .run(Actor::System, move |tx, context| {
                let enrolment = store::enrolments::find(tx, &council, &id)?.expect("an enrolment");
                orders::settle(tx, context, &enrolment, &command, &outcome)
            })
            .await
            .expect("settles");
        assert!(settled, "the command is an order's");
    }

    /// What the worker does every few minutes.
    pub(crate) async fn work(&self) {
        self.run(Actor::System, |tx, context| {
            orders::lapse_due(tx, context, 100)?;
            orders::remind_due(tx, context, 100)?;
            orders::presume_erased_due(tx, context, 100)?;
            orders::unreachable_due(tx, context, 100)
        })
        .await
        .expect("works");
    }

    pub(crate) async fn order(&self, id: &OrderId) -> Order {
        let id = id.clone();
        self.run(Actor::System, move |tx, _| store::orders::find(tx, &id)).await.expect("reads").expect("an order")
    }

    pub(crate) async fn state(&self, id: &OrderId) -> OrderState {
        self.order(id).await.state
    }

    /// Whether an alert of this kind is open about `subject`.
    pub(crate) async fn alerted(&self, kind: &'static str, subject: &str) -> bool {
        let (council, subject) = (self.council.clone(), subject.to_owned());
        self.run(Actor::System, move |tx, _| store::alerts::find_open(tx, &council, kind, &subject))
            .await
            .expect("reads")
            .is_some()
    }

    /// W1 and W4 at the end of every test: no order is in two places or none, and the chain is whole.
    pub(crate) async fn check(&self) {
        let (council, key) = (self.council.clone(), std::sync::Arc::clone(&self.bench.keys));
        let found = self
            .run(Actor::System, move |tx, _| audit::verify(tx, &key.audit, council.as_str(), None))
            .await
            .expect("verifies");
        assert_eq!(found.problems, Vec::<String>::new());
        let council = self.council.clone();
        let replayed = self
            .run(Actor::System, move |tx, context| {
                let mut wrong = Vec::new();
                for order in store::orders::page(tx, &council, None, None, 1000)? {
                    let trail = crate::operations::trail::of_order(tx, context, &council, &order.id)?;
                    let state = trail.and_then(|trail| trail.state());
                    if state != Some(order.state) {
                        wrong.push(format!("{}: row {}, trail {state:?}", order.id, order.state));
                    }
                }
                Ok(wrong)
            })
            .await
            .expect("replays");
        assert_eq!(replayed, Vec::<String>::new());
    }
}
