//! What the migrations make, as diesel sees it.
#![allow(missing_docs, reason = "the migrations say what each column means")]

diesel::table! {
    installation (name) {
        name -> Text,
        value -> Binary,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    installation_keys (id) {
        id -> Text,
        purpose -> Text,
        sealed_key -> Binary,
        created_at -> Timestamp,
        retired_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    councils (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        public_url -> Text,
        time_zone -> Text,
        scep_legacy -> Bool,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    operators (id) {
        id -> Text,
        council_id -> Nullable<Text>,
        login -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Text,
        must_change_password -> Bool,
        made_at_set_up -> Bool,
        standing_since -> Timestamp,
        sealed_totp -> Nullable<Binary>,
        sealed_totp_pending -> Nullable<Binary>,
        totp_last_step -> Nullable<BigInt>,
        mfa_since -> Nullable<Timestamp>,
        created_by -> Nullable<Text>,
        reset_by -> Nullable<Text>,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        ended_by -> Nullable<Text>,
        hands -> Text,
        mail -> Nullable<Text>,
    }
}

diesel::table! {
    recovery_codes (operator_id, code_hash) {
        operator_id -> Text,
        code_hash -> Text,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    passkeys (id) {
        id -> Text,
        operator_id -> Text,
        credential_hash -> Text,
        address -> Text,
        name -> Text,
        credential -> Text,
        counter -> BigInt,
        created_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    passkey_ceremonies (bound_to, purpose) {
        bound_to -> Text,
        purpose -> Text,
        address -> Text,
        state -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    report_codes (council_id, custody_id) {
        council_id -> Text,
        custody_id -> Text,
        asset_id -> Text,
        code_hash -> Text,
        made_by -> Text,
        made_at -> Timestamp,
    }
}

diesel::table! {
    named_approvers (council_id, operator_id) {
        council_id -> Text,
        operator_id -> Text,
        named_by -> Text,
        named_at -> Timestamp,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        operator_id -> Text,
        token_hash -> Text,
        created_at -> Timestamp,
        last_seen_at -> Timestamp,
        expires_at -> Timestamp,
        mfa_at -> Nullable<Timestamp>,
        reauthenticated_at -> Nullable<Timestamp>,
        address -> Text,
        agent -> Text,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sign_in_limits (subject) {
        subject -> Text,
        window_start -> Timestamp,
        failures -> BigInt,
        blocked_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Text,
        council_id -> Text,
        name -> Text,
        scopes -> Text,
        issued_by -> Text,
        issued_at -> Timestamp,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    idempotency_keys (council_id, actor, idempotency_key) {
        council_id -> Text,
        actor -> Text,
        idempotency_key -> Text,
        request_hash -> Text,
        status -> BigInt,
        sealed_answer -> Nullable<Binary>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    people (council_id, id) {
        council_id -> Text,
        id -> Text,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        council_device_only -> Bool,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    assets (council_id, id) {
        council_id -> Text,
        id -> Text,
        tag -> Text,
        kind -> Text,
        make -> Text,
        model -> Text,
        platform -> Nullable<Text>,
        ownership -> Text,
        serial -> Nullable<Text>,
        imei -> Nullable<Text>,
        sim -> Nullable<Text>,
        phone_number -> Nullable<Text>,
        phone_digits -> Nullable<Text>,
        note -> Text,
        created_at -> Timestamp,
        disposed_at -> Nullable<Timestamp>,
        backup_note -> Text,
    }
}

diesel::table! {
    faults (council_id, id) {
        council_id -> Text,
        id -> Text,
        asset_id -> Text,
        what -> Text,
        noticed_at -> Timestamp,
        noted_by -> Text,
        noted_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        ended_by -> Nullable<Text>,
        outcome -> Nullable<Text>,
    }
}

diesel::table! {
    custody (council_id, id) {
        council_id -> Text,
        id -> Text,
        asset_id -> Text,
        person_id -> Text,
        since -> Timestamp,
        until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    authorities (council_id, id) {
        council_id -> Text,
        id -> Text,
        certificate -> Binary,
        sealed_key -> Binary,
        not_before -> Timestamp,
        not_after -> Timestamp,
        created_at -> Timestamp,
    }
}

diesel::table! {
    push_certificates (council_id, id) {
        council_id -> Text,
        id -> Text,
        state -> Text,
        apple_account -> Nullable<Text>,
        topic -> Nullable<Text>,
        certificate_pem -> Nullable<Text>,
        sealed_key -> Binary,
        not_before -> Nullable<Timestamp>,
        not_after -> Nullable<Timestamp>,
        created_at -> Timestamp,
        activated_at -> Nullable<Timestamp>,
        warned_days -> Nullable<BigInt>,
    }
}

diesel::table! {
    devices (council_id, id) {
        council_id -> Text,
        id -> Text,
        asset_id -> Text,
        platform -> Text,
        udid -> Text,
        serial -> Nullable<Text>,
        product -> Nullable<Text>,
        name -> Nullable<Text>,
        os_version -> Nullable<Text>,
        imei -> Nullable<Text>,
        iccid -> Nullable<Text>,
        phone_number -> Nullable<Text>,
        created_at -> Timestamp,
        retired_at -> Nullable<Timestamp>,
        sealed_bypass_code -> Nullable<Binary>,
        bypass_code_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    invitations (council_id, id) {
        council_id -> Text,
        id -> Text,
        code_hash -> Text,
        asset_id -> Text,
        person_id -> Text,
        mode -> Text,
        ownership -> Text,
        state -> Text,
        created_by -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        accepted_at -> Nullable<Timestamp>,
        notice_version -> Nullable<Text>,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    enrolments (council_id, id) {
        council_id -> Text,
        id -> Text,
        device_id -> Text,
        generation -> BigInt,
        platform -> Text,
        mode -> Text,
        ownership -> Text,
        invitation_id -> Text,
        state -> Text,
        confirmation -> Text,
        mode_disagrees -> Bool,
        fingerprint -> Text,
        topic -> Nullable<Text>,
        push_token -> Nullable<Text>,
        push_token_at -> Nullable<Timestamp>,
        sealed_push_magic -> Nullable<Binary>,
        sealed_unlock_token -> Nullable<Binary>,
        push_retired_at -> Nullable<Timestamp>,
        authenticated_at -> Timestamp,
        enrolled_at -> Nullable<Timestamp>,
        last_seen_at -> Timestamp,
        identity_not_after -> Nullable<Timestamp>,
        renewal_started_at -> Nullable<Timestamp>,
        profile_version -> Nullable<BigInt>,
        ended_at -> Nullable<Timestamp>,
        end_reason -> Nullable<Text>,
        judgement -> Nullable<Text>,
    }
}

diesel::table! {
    scep_challenges (council_id, id) {
        council_id -> Text,
        id -> Text,
        challenge_hash -> Text,
        invitation_id -> Nullable<Text>,
        enrolment_id -> Nullable<Text>,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
        public_key_fingerprint -> Nullable<Text>,
    }
}

diesel::table! {
    certificates (council_id, serial) {
        council_id -> Text,
        serial -> Text,
        authority_id -> Text,
        fingerprint -> Text,
        public_key_fingerprint -> Text,
        challenge_id -> Text,
        invitation_id -> Nullable<Text>,
        enrolment_id -> Nullable<Text>,
        certificate -> Binary,
        not_before -> Timestamp,
        not_after -> Timestamp,
        issued_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        revoked_reason -> Nullable<Text>,
    }
}

diesel::table! {
    cases (council_id, id) {
        council_id -> Text,
        id -> Text,
        kind -> Text,
        asset_id -> Text,
        device_id -> Nullable<Text>,
        state -> Text,
        reported_by -> Text,
        reporter -> Text,
        reported_at -> Timestamp,
        happened_at -> Nullable<Timestamp>,
        place -> Text,
        circumstances -> Text,
        aware_at -> Timestamp,
        contact_message -> Text,
        contact_number -> Text,
        police_reference -> Text,
        found_at -> Nullable<Timestamp>,
        found_by -> Nullable<Text>,
        back_in_use_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        closed_by -> Nullable<Text>,
        outcome -> Nullable<Text>,
    }
}

diesel::table! {
    commands (council_id, id) {
        council_id -> Text,
        id -> Text,
        enrolment_id -> Text,
        case_id -> Nullable<Text>,
        kind -> Text,
        payload -> Text,
        priority -> BigInt,
        state -> Text,
        supersede_key -> Nullable<Text>,
        created_by -> Text,
        created_at -> Timestamp,
        available_at -> Timestamp,
        expires_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
        offers -> BigInt,
        ended_at -> Nullable<Timestamp>,
        answer -> Nullable<Text>,
        problem -> Nullable<Text>,
    }
}

diesel::table! {
    orders (council_id, id) {
        council_id -> Text,
        id -> Text,
        case_id -> Text,
        device_id -> Text,
        enrolment_id -> Text,
        mode -> Text,
        ownership -> Text,
        scope -> Text,
        state -> Text,
        held_reason -> Nullable<Text>,
        reason -> Text,
        preserve_data_plan -> Bool,
        requested_by -> Text,
        requested_at -> Timestamp,
        lapses_at -> Timestamp,
        approved_by -> Nullable<Text>,
        approved_at -> Nullable<Timestamp>,
        seal -> Nullable<Binary>,
        seal_key_id -> Nullable<Text>,
        command_id -> Nullable<Text>,
        first_fetched_at -> Nullable<Timestamp>,
        fetched_at -> Nullable<Timestamp>,
        offers -> BigInt,
        not_before -> Nullable<Timestamp>,
        reminders -> BigInt,
        ended_at -> Nullable<Timestamp>,
        ended_by -> Nullable<Text>,
        problem -> Nullable<Text>,
        changed_at -> Timestamp,
        resumed_at -> Nullable<Timestamp>,
        trail_seq -> Nullable<BigInt>,
        trail_state -> Nullable<Text>,
        trail_seal -> Nullable<Binary>,
        record_forgotten_at -> Nullable<Timestamp>,
        cancel_asked_at -> Nullable<Timestamp>,
        one_operator_id -> Nullable<Text>,
        cooling_off_from -> Nullable<Timestamp>,
    }
}

diesel::table! {
    one_operator_settings (council_id, id) {
        council_id -> Text,
        id -> Text,
        reason -> Text,
        begun_by -> Text,
        begun_at -> Timestamp,
        told_at -> Nullable<Timestamp>,
        ended_by -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    break_glass_codes (council_id) {
        council_id -> Text,
        code_hash -> Text,
        made_by -> Text,
        made_at -> Timestamp,
    }
}

diesel::table! {
    cooling_offs (council_id, order_id) {
        council_id -> Text,
        order_id -> Text,
        setting_id -> Text,
        round -> BigInt,
        began_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    one_operator_notices (council_id, id) {
        council_id -> Text,
        id -> Text,
        setting_id -> Text,
        order_id -> Nullable<Text>,
        round -> BigInt,
        name -> Text,
        address -> Text,
        needed -> Bool,
        hears_of_orders -> Bool,
        code_hash -> Text,
        made_at -> Timestamp,
        accepted_at -> Nullable<Timestamp>,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    legal_holds (council_id, id) {
        council_id -> Text,
        id -> Text,
        device_id -> Text,
        reason -> Text,
        added_by -> Text,
        added_at -> Timestamp,
        ended_by -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    order_caps (scope) {
        scope -> Text,
        per_hour -> BigInt,
        per_day -> BigInt,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    cap_changes (id) {
        id -> Text,
        scope -> Text,
        per_hour -> BigInt,
        per_day -> BigInt,
        requested_by -> Text,
        requested_at -> Timestamp,
        approved_by -> Nullable<Text>,
        approved_at -> Nullable<Timestamp>,
        effective_at -> Nullable<Timestamp>,
        applied_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    freezes (id) {
        id -> Text,
        scope -> Text,
        reason -> Text,
        frozen_at -> Timestamp,
        thaw_requested_by -> Nullable<Text>,
        thaw_requested_at -> Nullable<Timestamp>,
        thawed_by -> Nullable<Text>,
        thawed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    quarantines (id) {
        id -> Text,
        reason -> Text,
        since -> Timestamp,
        ended_by -> Nullable<Text>,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    policies (council_id, version) {
        council_id -> Text,
        version -> BigInt,
        settings -> Text,
        note -> Text,
        changed_by -> Text,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    policy_secrets (council_id, id) {
        council_id -> Text,
        id -> Text,
        sealed_value -> Binary,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    reports (council_id, enrolment_id, kind) {
        council_id -> Text,
        enrolment_id -> Text,
        kind -> Text,
        answer -> Text,
        received_at -> Timestamp,
    }
}

diesel::table! {
    setting_states (council_id, enrolment_id, setting) {
        council_id -> Text,
        enrolment_id -> Text,
        setting -> Text,
        state -> Text,
        reason -> Text,
        since -> Timestamp,
        checked_at -> Timestamp,
    }
}

diesel::table! {
    alerts (council_id, id) {
        council_id -> Text,
        id -> Text,
        kind -> Text,
        subject -> Text,
        message -> Text,
        raised_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        ended_by -> Nullable<Text>,
    }
}

diesel::table! {
    audit_heads (chain) {
        chain -> Text,
        seq -> BigInt,
        mac -> Binary,
        head_seal -> Binary,
    }
}

diesel::table! {
    audit_rows (chain, seq) {
        chain -> Text,
        seq -> BigInt,
        at -> Timestamp,
        kind -> Text,
        subject -> Text,
        details_hash -> Binary,
        mac -> Binary,
    }
}

diesel::table! {
    audit_details (chain, seq) {
        chain -> Text,
        seq -> BigInt,
        salt -> Binary,
        details -> Text,
    }
}

diesel::table! {
    jobs (id) {
        id -> Text,
        kind -> Text,
        payload -> Text,
        dedupe_key -> Nullable<Text>,
        run_at -> Timestamp,
        attempts -> BigInt,
        revision -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until -> Nullable<Timestamp>,
        last_problem -> Nullable<Text>,
        created_at -> Timestamp,
        rests_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    mail_servers (id) {
        id -> Text,
        host -> Text,
        port -> BigInt,
        security -> Text,
        username -> Nullable<Text>,
        sealed_password -> Nullable<Binary>,
        sender -> Text,
        changed_by -> Text,
        changed_at -> Timestamp,
        accepted_at -> Nullable<Timestamp>,
        problem -> Nullable<Text>,
        problem_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    google_projects (id) {
        id -> Text,
        slot -> BigInt,
        client_email -> Text,
        sealed_key -> Binary,
        notifications_ready -> Bool,
        paced_until -> Timestamp,
        connected_by -> Text,
        connected_at -> Timestamp,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    google_sign_ups (council_id, id) {
        council_id -> Text,
        id -> Text,
        state_hash -> Text,
        name -> Nullable<Text>,
        requested_by -> Text,
        requested_at -> Timestamp,
        expires_at -> Timestamp,
        completed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    google_enterprises (council_id, id) {
        council_id -> Text,
        id -> Text,
        project_id -> Text,
        name -> Text,
        notifications_on -> Bool,
        connected_by -> Text,
        connected_at -> Timestamp,
        reconciled_at -> Nullable<Timestamp>,
        disconnected_by -> Nullable<Text>,
        disconnected_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    android_policies (council_id, mode, posture) {
        council_id -> Text,
        mode -> Text,
        posture -> Text,
        sent_version -> Nullable<BigInt>,
        sent_digest -> Nullable<Text>,
        google_version -> Nullable<BigInt>,
        sent_at -> Nullable<Timestamp>,
        refused_version -> Nullable<BigInt>,
        problem -> Nullable<Text>,
        changed_at -> Timestamp,
    }
}

diesel::table! {
    android_tokens (council_id, id) {
        council_id -> Text,
        id -> Text,
        invitation_id -> Text,
        mode -> Text,
        binding_hash -> Text,
        google_name -> Nullable<Text>,
        state -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    android_enrolments (council_id, enrolment_id) {
        council_id -> Text,
        enrolment_id -> Text,
        device_name -> Text,
        posture -> Text,
        posture_sent -> Text,
        api_level -> Nullable<BigInt>,
        google_state -> Text,
        reported_at -> Nullable<Timestamp>,
        read_at -> Timestamp,
    }
}

diesel::table! {
    google_operations (council_id, id) {
        council_id -> Text,
        id -> Text,
        enrolment_id -> Text,
        command_id -> Nullable<Text>,
        order_id -> Nullable<Text>,
        kind -> Text,
        state -> Text,
        name -> Nullable<Text>,
        called_at -> Timestamp,
        issued_at -> Nullable<Timestamp>,
        checked_at -> Nullable<Timestamp>,
        cancel_wanted_at -> Nullable<Timestamp>,
        cancel_sent_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
        outcome -> Nullable<Text>,
        problem -> Nullable<Text>,
    }
}

diesel::table! {
    person_name_starts (council_id, start, person_id) {
        council_id -> Text,
        start -> Text,
        person_id -> Text,
    }
}

diesel::table! {
    asset_tag_starts (council_id, start, asset_id) {
        council_id -> Text,
        start -> Text,
        asset_id -> Text,
    }
}

diesel::table! {
    breach_decisions (council_id, case_id) {
        council_id -> Text,
        case_id -> Text,
        data_held -> Text,
        decision -> Text,
        reason -> Text,
        decided_by -> Text,
        decided_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    person_name_starts,
    asset_tag_starts,
    breach_decisions,
    google_projects,
    google_sign_ups,
    google_enterprises,
    android_policies,
    android_tokens,
    android_enrolments,
    google_operations,
    installation,
    installation_keys,
    mail_servers,
    councils,
    operators,
    recovery_codes,
    passkeys,
    passkey_ceremonies,
    report_codes,
    named_approvers,
    sessions,
    sign_in_limits,
    api_tokens,
    idempotency_keys,
    people,
    assets,
    custody,
    authorities,
    push_certificates,
    devices,
    invitations,
    enrolments,
    scep_challenges,
    certificates,
    cases,
    commands,
    orders,
    one_operator_settings,
    cooling_offs,
    break_glass_codes,
    one_operator_notices,
    legal_holds,
    faults,
    order_caps,
    cap_changes,
    freezes,
    quarantines,
    policies,
    policy_secrets,
    reports,
    setting_states,
    alerts,
    audit_heads,
    audit_rows,
    audit_details,
    jobs,
);
