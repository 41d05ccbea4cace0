//! Every request that the command line can send, in one table; a test holds it to the API's own description.

use reqwest::Method;

/// One kind of request.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) method: Method,
    /// The path below `/api/v1`. `{council}` is filled with the council of the command, the other parts in their order.
    pub(super) path: &'static str,
    /// The fields that the body may have.
    pub(super) takes: &'static str,
    /// The parameters that the address may have.
    pub(super) asks: &'static str,
    /// The columns of the list that comes back; dotted for what lies deeper.
    pub(super) shows: &'static str,
    /// Whether it may be done with no server running.
    pub(super) offline: bool,
}

impl Endpoint {
    /// The columns of the list that comes back.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        self.shows.split_whitespace().collect()
    }

    /// Whether the list that comes back can be asked for by `parameter`.
    pub(super) fn can_ask(&self, parameter: &str) -> bool {
        self.asks.split_whitespace().any(|known| known == parameter)
    }

    /// Whether the body may have `field`.
    pub(super) fn can_take(&self, field: &str) -> bool {
        self.takes.split_whitespace().any(|known| known == field)
    }
}

macro_rules! endpoints {
    ($($name:ident = $method:ident $path:literal $(takes $takes:literal)? $(asks $asks:literal)? $(shows $shows:literal)?
        $(, $offline:ident)?;)+) => {
        $(pub(super) static $name: Endpoint = Endpoint {
            method: Method::$method,
            path: $path,
            takes: concat!($($takes)?),
            asks: concat!($($asks)?),
            shows: concat!($($shows)?),
            offline: endpoints!(@offline $method $($offline)?),
        };)+

        /// All of them.
        #[cfg(test)]
        pub(super) static ALL: &[&Endpoint] = &[$(&$name),+];
    };
    // Reading needs no running server.
    (@offline GET) => { true };
    (@offline $method:ident offline) => { true };
    (@offline $method:ident) => { false };
}

endpoints! {
    // Setting up and signing in.
    SET_UP = POST "/set-up" takes "code login name council", offline;
    SIGN_IN = POST "/sessions" takes "login password totp recovery_code", offline;
    SESSIONS = GET "/sessions" shows "id created_at last_seen_at expires_at address agent mfa current";
    SESSION_END = DELETE "/sessions/{id}", offline;
    SIGN_OUT = DELETE "/sessions/current", offline;
    CONFIRM = POST "/sessions/current/confirm" takes "password totp recovery_code";
    ACCOUNT = GET "/account";
    PASSWORD = POST "/account/password" takes "current new", offline;
    TOTP = POST "/account/totp", offline;
    TOTP_CONFIRM = POST "/account/totp/confirm" takes "code", offline;
    RECOVERY_CODES = POST "/account/recovery-codes", offline;

    // Keeping the installation.
    SET_UP_CODE = POST "/set-up-code", offline;
    BACKUP = POST "/backup" takes "file with_key", offline;
    SEAL_ROTATION = POST "/seal/rotate" takes "step", offline;

    // Councils and who works for them.
    COUNCILS = GET "/councils" shows "slug name public_url time_zone ended_at";
    COUNCIL_ADD = POST "/councils" takes "name slug public_url time_zone preset", offline;
    COUNCIL_SHOW = GET "/councils/{slug}";
    OPERATORS = GET "/councils/{council}/operators" shows "id login name role approver mfa standing_since ended_at";
    OPERATOR_ADD = POST "/councils/{council}/operators" takes "login name role", offline;
    PROVIDERS = GET "/operators" shows "id login name role mfa standing_since ended_at";
    PROVIDER_ADD = POST "/operators" takes "login name", offline;
    OPERATOR_END = DELETE "/operators/{id}", offline;
    OPERATOR_RESET = POST "/operators/{id}/reset" takes "second_factor", offline;
    OPERATOR_CHANGE = PATCH "/operators/{id}" takes "login name role mail";
    OPERATOR_SHOW = GET "/operators/{id}";
    APPROVERS = GET "/councils/{council}/approvers" shows "operator_id named_by named_at";
    APPROVER_NAME = PUT "/councils/{council}/approvers/{operator}";
    APPROVER_UNNAME = DELETE "/councils/{council}/approvers/{operator}";
    TOKENS = GET "/councils/{council}/tokens" shows "id name scopes issued_at expires_at revoked_at";
    TOKEN_ISSUE = POST "/councils/{council}/tokens" takes "name scopes minutes";
    TOKEN_REVOKE = DELETE "/tokens/{id}";

    // The register.
    PEOPLE = GET "/councils/{council}/people" asks "ended" shows "id name email phone ended_at";
    PERSON_ADD = POST "/councils/{council}/people" takes "name email phone council_device_only", offline;
    PERSON_SHOW = GET "/people/{id}";
    PERSON_END = POST "/people/{id}/end", offline;
    ASSETS = GET "/councils/{council}/assets" asks "tag search disposed"
        shows "tag kind make model platform ownership serial phone_number holders disposed_at";
    ASSET_ADD = POST "/councils/{council}/assets"
        takes "tag kind make model platform ownership serial imei sim phone_number note holders", offline;
    ASSET_SHOW = GET "/assets/{id}";
    ASSET_NAMED = GET "/councils/{council}/assets/{tag}";
    ASSET_HOLDERS = POST "/assets/{id}/holders" takes "holders shared", offline;
    ASSET_DISPOSE = POST "/assets/{id}/dispose", offline;
    INVITATIONS = GET "/councils/{council}/invitations" asks "usable"
        shows "id asset_tag person_name mode state usable created_at expires_at";
    INVITE = POST "/councils/{council}/invitations" takes "asset person mode expires_in_hours";
    INVITATION_WITHDRAW = DELETE "/invitations/{id}";
    INVITATION_CODE = POST "/invitations/{id}/android-code";


    // Devices.
    DEVICES = GET "/councils/{council}/devices" shows "id name product serial os_version enrolment.mode enrolment.state enrolment.confirmation enrolment.last_seen_at";
    DEVICE_SHOW = GET "/devices/{id}";
    DEVICE_COMMANDS = GET "/devices/{id}/commands" shows "id kind state created_at sent_at ended_at problem";
    DEVICE_APPS = GET "/devices/{id}/apps";
    DEVICE_CONFIRM = POST "/devices/{id}/confirm";
    DEVICE_LOCK = POST "/devices/{id}/lock" takes "message phone_number";
    DEVICE_CLEAR_PASSCODE = POST "/devices/{id}/clear-passcode" takes "recognised_by";
    DEVICE_BYPASS_CODE = POST "/devices/{id}/activation-lock-bypass-code";

    // The policy.
    PRESETS = GET "/policy-presets" shows "name title summary";
    POLICY = GET "/councils/{council}/policy" asks "version";
    POLICY_SET = PATCH "/councils/{council}/policy" takes "preset version set note", offline;
    POLICY_HISTORY = GET "/councils/{council}/policy/versions" shows "version changed_at changed_by note";
    COVERAGE = GET "/councils/{council}/policy/coverage";
    POLICY_SECRETS = GET "/councils/{council}/policy/secrets" shows "kind name changed_at";
    WIFI_PASSWORD = PUT "/councils/{council}/wifi-passwords/{ssid}" takes "password", offline;
    POLICY_CERTIFICATE = PUT "/councils/{council}/policy/certificates" takes "name certificate", offline;

    // Losses, leavers and orders.
    LOSSES = GET "/councils/{council}/losses" shows "id asset_tag item state_words reporter reported_at";
    LOSS_REPORT = POST "/councils/{council}/losses"
        takes "asset reporter happened_at place circumstances aware_at contact_message contact_number police_reference";
    LOSS_SHOW = GET "/losses/{id}";
    LOSS_FOUND = POST "/losses/{id}/found";
    LOSS_CLOSE = POST "/losses/{id}/close" takes "outcome";
    LOSS_LOCK = POST "/losses/{id}/lock";
    LOSS_NOTE = POST "/losses/{id}/notes" takes "police_reference place circumstances";
    LEAVERS = GET "/councils/{council}/leavers" shows "id asset_tag item state_words reported_at";
    LEAVER_OPEN = POST "/councils/{council}/leavers" takes "asset note";
    LEAVER_SHOW = GET "/leavers/{id}";
    LEAVER_CLOSE = POST "/leavers/{id}/close" takes "outcome";
    ORDERS = GET "/councils/{council}/orders" asks "state" shows "id asset_tag state_words requested_at reason";
    ORDER_LOSS = POST "/losses/{id}/orders" takes "reason asset_tag";
    ORDER_LEAVER = POST "/leavers/{id}/orders" takes "reason asset_tag";
    ORDER_SHOW = GET "/orders/{id}";
    ORDER_APPROVE = POST "/orders/{id}/approve";
    ORDER_REFUSE = POST "/orders/{id}/refuse" takes "reason";
    ORDER_CANCEL = POST "/orders/{id}/cancel";
    ORDER_RESUME = POST "/orders/{id}/resume";
    HOLDS = GET "/councils/{council}/holds" shows "id device reason added_by added_at ended_at";
    HOLD_ADD = POST "/councils/{council}/holds" takes "device reason";
    HOLD_END = POST "/holds/{id}/end";
    CAPS = GET "/councils/{council}/caps";
    CAPS_ALL = GET "/caps";
    CAP_RAISE = POST "/councils/{council}/caps/raise" takes "per_hour per_day";
    CAP_RAISE_ALL = POST "/caps/raise" takes "per_hour per_day";
    CAP_APPROVE = POST "/councils/{council}/caps/approve-raise";
    CAP_APPROVE_ALL = POST "/caps/approve-raise";
    CAP_THAW = POST "/councils/{council}/caps/thaw";
    CAP_THAW_ALL = POST "/caps/thaw";
    QUARANTINE = GET "/quarantine";
    QUARANTINE_END = POST "/quarantine/end";

    // Apple, alerts, the audit trail.
    GOOGLE_PROJECT = PUT "/google/project" takes "key_file";
    GOOGLE_SIGN_UP = POST "/councils/{council}/google/sign-up";
    GOOGLE_STATUS = GET "/councils/{council}/google";
    GOOGLE_DISCONNECT = DELETE "/councils/{council}/google";

    PUSH_STATUS = GET "/councils/{council}/apple/push-certificate" shows "state topic apple_account not_after days_left phones";
    PUSH_REQUEST = POST "/councils/{council}/apple/push-certificate/request", offline;
    PUSH_IMPORT = POST "/councils/{council}/apple/push-certificate/import" takes "certificate apple_account new_topic", offline;
    ALERTS = GET "/councils/{council}/alerts" asks "ended" shows "id kind message raised_at ended_at";
    ALERT_END = POST "/alerts/{id}/acknowledge";
    AUDIT = GET "/councils/{council}/audit";
    AUDIT_ALL = GET "/audit";
    AUDIT_VERIFY = POST "/councils/{council}/audit/verify" takes "checkpoints", offline;
    AUDIT_VERIFY_ALL = POST "/audit/verify" takes "checkpoints", offline;
    CHECKPOINTS = GET "/audit/checkpoints";
}
