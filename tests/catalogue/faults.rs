//! What can go wrong, by number, and what shows that it does no harm.

/// One way to go wrong.
pub(crate) struct Fault {
    /// Its number.
    pub(crate) number: u16,
    /// In a few words.
    pub(crate) what: &'static str,
    /// Tests that bring it about and say what must come of it.
    pub(crate) tests: &'static [&'static str],
    /// The kinds of trouble by which the simulation brings it about.
    pub(crate) drawn: &'static [&'static str],
    /// Why it cannot occur, where it cannot.
    pub(crate) impossible: Option<&'static str>,
}

const fn fault(
    number: u16,
    what: &'static str,
    tests: &'static [&'static str],
    drawn: &'static [&'static str],
) -> Fault {
    Fault { number, what, tests, drawn, impossible: None }
}

const fn cannot(
    number: u16,
    what: &'static str,
    why: &'static str,
    tests: &'static [&'static str],
) -> Fault {
    Fault { number, what, tests, drawn: &[], impossible: Some(why) }
}

/// Every fault, in the order of their numbers.
pub(crate) fn all() -> impl Iterator<Item = &'static Fault> {
    [EVENTS, KEYS, BROKER, STREAM, DATA, MARKET, CORPORATE, STRATEGIES, NUMBERS, STORE, MAIL, LIFE]
        .into_iter()
        .chain([RULES, PEOPLE, HOSTILE])
        .flatten()
}

const EVENTS: &[Fault] = &[
    fault(
        1,
        "the same event twice, one after the other",
        &["the_same_event_again_does_nothing"],
        &["scheduler"],
    ),
    fault(
        2,
        "the same event twice at once",
        &[
            "of_two_invocations_at_once_one_trades_and_the_other_steps_back",
            "of_twenty_deliveries_at_once_one_trades",
        ],
        &["scheduler"],
    ),
    fault(
        3,
        "an event 40 minutes late",
        &["an_event_that_comes_late_does_not_trade", "an_event_two_hours_late_no_longer_trades"],
        &["scheduler"],
    ),
    fault(
        4,
        "an event of the day before",
        &[
            "an_event_of_a_day_that_was_traded_does_nothing_when_it_comes_again_the_next_day",
            "an_event_of_a_day_that_nobody_traded_is_told_as_late_and_plans_nothing_for_today",
        ],
        &["scheduler"],
    ),
    fault(
        5,
        "an event that never comes",
        &["a_weekday_without_a_run_is_told_with_the_last_record_there_is"],
        &["scheduler"],
    ),
    fault(
        6,
        "an unknown mode or field, or no JSON",
        &[
            "an_unknown_field_or_action_or_mode_is_refused_by_name",
            "an_event_without_a_field_is_refused_and_shown_the_right_one",
            "an_event_is_understood_in_full_or_refused",
        ],
        &[],
    ),
    fault(
        7,
        "two schedules for one slot",
        &["two_schedules_for_one_slot_five_minutes_apart_trade_once_and_write_once"],
        &["scheduler"],
    ),
    fault(8, "no scheduled time", &["every_missing_field_is_refused_by_name"], &[]),
    fault(
        9,
        "a test event from the console",
        &["another_services_event_is_refused_and_shown_the_right_shape", "now_is_for_paper_only"],
        &[],
    ),
    fault(
        10,
        "two slots that overlap",
        &[
            "two_slots_at_once_do_not_trade_beside_each_other",
            "the_slot_that_had_to_wait_trades_on_its_resume_from_the_others_ledger",
            "a_run_killed_between_its_turn_and_its_plan_goes_on_with_its_own_turn",
            "a_run_named_close_goes_on_from_the_one_named_open",
        ],
        &[],
    ),
    fault(
        11,
        "a day on which clocks change",
        &["the_days_on_which_clocks_change_are_traded_once_at_their_own_hour"],
        &["calendar"],
    ),
];

const KEYS: &[Fault] = &[
    fault(
        12,
        "the secret is missing or denied",
        &[
            "without_a_secret_nothing_is_traded_until_there_is_one",
            "a_secret_that_may_not_be_read_is_told_without_the_words_of_the_refusal",
        ],
        &["keys"],
    ),
    fault(
        13,
        "the source of keys is overloaded",
        &["keys_out_of_reach_for_a_moment_leave_the_run_to_the_next_resume"],
        &["keys"],
    ),
    fault(
        14,
        "a secret of another shape",
        &[
            "a_secret_of_another_shape_is_told_by_its_field_and_never_by_its_value",
            "a_wrong_secret_names_the_field_and_never_its_value",
        ],
        &["keys"],
    ),
    fault(
        15,
        "keys changed in mid-run",
        &[
            "rotated_keys_are_fetched_once_and_the_read_goes_on",
            "keys_changed_at_the_broker_and_in_the_secret_need_no_new_process",
        ],
        &["keys"],
    ),
    fault(16, "keys of the other world", &["keys_of_the_other_world_are_refused"], &["keys"]),
    fault(
        17,
        "the source of keys does not answer",
        &[
            "keys_that_are_waited_for_in_vain_are_told_in_time_and_leave_the_run_open",
            "keys_that_never_come_cost_the_invocation_and_not_the_day",
        ],
        &["keys"],
    ),
];

const BROKER: &[Fault] = &[
    fault(
        18,
        "keys refused at the start",
        &[
            "keys_that_the_broker_refuses_and_repeats_are_read_once_more_and_shown_nowhere",
            "keys_withdrawn_in_mid_run_leave_the_books_open_or_right",
        ],
        &["keys"],
    ),
    fault(
        19,
        "the account is blocked",
        &[
            "a_blocked_account_is_left_alone",
            "an_account_blocked_in_mid_run_gets_no_further_order",
            "whatever_blocks_an_account_is_listed",
        ],
        &[],
    ),
    fault(
        20,
        "an order that arrived, its answer lost",
        &["a_lost_answer_to_an_order_does_not_send_it_twice"],
        &["ambiguity"],
    ),
    fault(
        21,
        "an order that never arrived, its answer lost",
        &["an_answer_waited_for_in_vain_costs_an_attempt_and_no_share_too_many"],
        &["ambiguity"],
    ),
    fault(
        22,
        "an order that arrives much later",
        &[
            "an_order_whose_first_copy_arrives_much_later_is_executed_once",
            "an_order_that_arrives_after_everybody_gave_it_up_is_booked_by_the_next_run",
            "an_order_that_was_given_up_and_turns_up_is_cancelled",
        ],
        &["ambiguity"],
    ),
    fault(
        23,
        "a server's error with and without effect",
        &["a_lost_answer_to_an_order_does_not_send_it_twice"],
        &["ambiguity", "requests"],
    ),
    fault(
        24,
        "a success that cannot be read",
        &["an_order_is_never_sent_twice_and_a_lost_answer_is_ambiguous"],
        &["ambiguity"],
    ),
    fault(
        25,
        "an id that is taken already",
        &[
            "an_id_that_exists_says_so",
            "an_order_that_no_look_up_finds_is_sent_again_under_its_own_name_only",
        ],
        &["ambiguity"],
    ),
    fault(
        26,
        "an adopted order that is not the planned one",
        &["an_order_under_our_name_that_is_not_ours_stops_everything"],
        &[],
    ),
    fault(
        27,
        "not enough buying power",
        &["an_order_refused_for_want_of_funds_is_a_trading_incident_in_the_brokers_words"],
        &["requests"],
    ),
    fault(
        28,
        "the guard against wash trades",
        &[
            "a_wash_trade_is_known_by_its_extras_too",
            "a_foreign_open_order_blocks_its_symbol_and_nothing_else",
        ],
        &["hands"],
    ),
    fault(
        29,
        "an asset that turns out to trade whole",
        &["an_asset_that_turns_out_to_trade_whole_is_ordered_again_under_the_same_name"],
        &[],
    ),
    fault(
        30,
        "a sale of a sliver more than is there",
        &["a_sale_of_more_than_is_available_is_made_smaller_under_the_same_name"],
        &["hands"],
    ),
    fault(
        31,
        "a symbol that does not trade",
        &[
            "a_symbol_halted_since_yesterday_is_skipped_and_said",
            "what_may_not_trade_is_skipped_with_its_reason",
        ],
        &["prices"],
    ),
    fault(
        32,
        "accepted, then rejected",
        &["an_order_rejected_after_it_was_accepted_costs_nothing_but_itself"],
        &["orders"],
    ),
    fault(
        33,
        "never acknowledged",
        &["an_order_that_is_never_acknowledged_is_cancelled_and_sent_anew"],
        &["orders"],
    ),
    fault(
        34,
        "a cancel that races a fill",
        &["an_order_that_fills_while_it_is_cancelled_is_not_sent_again"],
        &["orders"],
    ),
    fault(
        35,
        "a cancel that never completes",
        &["a_cancel_that_never_completes_is_followed_by_no_further_attempt"],
        &["orders"],
    ),
    fault(
        36,
        "executed in part, then cancelled",
        &["the_rest_of_a_partial_fill_goes_out_under_the_next_attempt"],
        &["orders"],
    ),
    fault(
        37,
        "executed beyond the order, or at a price beyond reason",
        &[
            "more_shares_executed_than_were_ordered_stop_everything",
            "a_sale_at_a_price_beyond_reason_is_critical_and_nothing_is_bought",
            "a_purchase_at_a_price_beyond_reason_is_critical_and_its_rest_is_not_sent",
        ],
        &[],
    ),
    fault(
        38,
        "too many requests",
        &[
            "too_many_requests_makes_an_order_wait_and_go_out_once",
            "no_minute_sees_more_than_150_requests",
        ],
        &["requests"],
    ),
    fault(
        39,
        "account and positions lag behind the fills",
        &[
            "positions_and_cash_that_lag_behind_fills_are_waited_for",
            "positions_that_look_as_if_yesterday_had_not_been_send_nothing_again",
        ],
        &["lag"],
    ),
    fault(
        40,
        "a list that leaves out or repeats an order",
        &[
            "a_list_that_leaves_out_an_order_or_shows_it_twice_changes_nothing",
            "orders_are_paged_to_the_end_and_counted_once",
        ],
        &[],
    ),
    fault(
        41,
        "ten minutes of maintenance",
        &[
            "a_broker_out_of_reach_before_the_plan_is_traded_by_a_resume_in_time",
            "a_broker_that_goes_away_in_mid_run_leaves_books_that_the_next_run_rights",
        ],
        &["requests"],
    ),
    fault(
        42,
        "an order that vanishes",
        &["an_order_that_vanishes_is_unknown_and_never_sent_under_another_name"],
        &[],
    ),
    fault(
        43,
        "a word that nobody knows",
        &[
            "a_status_that_nobody_knows_ends_neither_the_order_nor_the_run",
            "every_status_has_a_meaning_and_an_unknown_one_is_kept",
        ],
        &[],
    ),
    fault(
        44,
        "an execution taken back later",
        &["an_execution_that_is_taken_back_later_stops_the_next_run"],
        &[],
    ),
    fault(
        45,
        "no connection",
        &["a_broker_out_of_reach_before_the_plan_is_traded_by_a_resume_in_time"],
        &["requests"],
    ),
];

const STREAM: &[Fault] = &[
    fault(
        46,
        "no stream, or keys refused on it",
        &[
            "a_stream_that_cannot_be_opened_dies_or_is_mute_changes_nothing",
            "wrong_keys_are_told_apart_from_trouble",
        ],
        &["stream"],
    ),
    fault(
        47,
        "too many streams",
        &["a_second_connection_refused_by_the_broker_says_too_many"],
        &["stream"],
    ),
    fault(
        48,
        "a mute stream",
        &["a_stream_that_cannot_be_opened_dies_or_is_mute_changes_nothing"],
        &["stream"],
    ),
    fault(
        49,
        "a stream cut between order and fill",
        &["a_stream_that_cannot_be_opened_dies_or_is_mute_changes_nothing"],
        &["stream"],
    ),
    fault(
        50,
        "messages doubled, reordered, late",
        &[
            "views_of_an_order_in_any_order_and_number_lead_to_the_same_end",
            "a_flood_of_order_messages_does_not_use_up_the_requests",
        ],
        &["stream"],
    ),
    fault(
        51,
        "invented messages",
        &[
            "messages_of_executions_that_never_were_move_nothing",
            "a_flood_of_order_messages_does_not_use_up_the_requests",
            "only_trade_updates_wake",
        ],
        &["stream"],
    ),
    fault(
        52,
        "frames of another kind, huge, or no text",
        &[
            "a_message_about_an_order_wakes_in_text_and_in_binary",
            "a_message_of_unreasonable_size_ends_the_line",
            "the_brokers_messages_are_heard_or_end_the_line",
        ],
        &[],
    ),
    fault(
        53,
        "listening begins after the fill",
        &["an_order_executed_before_its_answer_arrives_is_seen"],
        &["stream"],
    ),
];

const DATA: &[Fault] = &[
    fault(54, "a symbol without bars", &["a_symbol_without_any_bar_is_named"], &["prices"]),
    fault(
        55,
        "a last bar of an earlier session",
        &["a_stale_last_bar_holds_the_strategy_and_names_both_days"],
        &["prices"],
    ),
    fault(
        56,
        "today's unfinished bar",
        &["todays_unfinished_bar_is_dropped_and_symbols_without_bars_are_absent"],
        &[],
    ),
    fault(
        57,
        "gaps, and histories too short",
        &[
            "too_few_bars_hold_the_strategy_and_say_how_many_are_missing",
            "a_hole_is_missing_on_its_day_only",
        ],
        &["prices"],
    ),
    fault(
        58,
        "bars doubled or out of order",
        &["bars_twice_or_out_of_order_are_put_right_and_contradictions_refused"],
        &[],
    ),
    fault(
        59,
        "prices that are none",
        &[
            "a_bar_that_is_no_price_costs_its_symbol_and_no_other",
            "a_history_refuses_disorder_and_nonsense",
        ],
        &["prices"],
    ),
    fault(
        60,
        "a move of 40% over night",
        &["a_move_beyond_forty_percent_is_a_split_until_the_broker_says_otherwise"],
        &["prices"],
    ),
    fault(
        61,
        "bars that are not adjusted",
        &["a_split_that_the_position_does_not_show_yet_blocks_its_symbol_alone"],
        &["corporate"],
    ),
    fault(
        62,
        "a past that was rewritten",
        &[
            "a_rewritten_past_that_would_have_turned_a_signal_is_a_warning_once",
            "a_rewritten_past_that_turns_nothing_is_a_line_about_the_data",
            "a_dividend_and_a_split_that_rescale_the_past_are_no_news",
            "without_a_readable_record_of_the_run_before_a_run_is_as_good_and_says_so",
            "the_stored_inputs_decide_the_stored_plan_again",
        ],
        &[],
    ),
    fault(63, "pages without end", &["pages_without_end_are_an_error"], &[]),
    fault(
        64,
        "bars of another symbol",
        &["bars_of_a_symbol_nobody_asked_for_make_the_answer_wrong"],
        &[],
    ),
    fault(
        65,
        "no feed at all",
        &["a_broker_out_of_reach_before_the_plan_is_traded_by_a_resume_in_time"],
        &["requests", "prices"],
    ),
    fault(
        66,
        "no price when an order is sized",
        &["without_a_quote_or_a_fresh_trade_a_symbol_is_not_traded"],
        &["prices"],
    ),
];

const MARKET: &[Fault] = &[
    fault(67, "holiday, weekend", &["a_closed_day_is_one_quiet_mail"], &["calendar"]),
    fault(
        68,
        "half a day",
        &[
            "a_half_day_trades_before_its_early_close",
            "after_the_cut_off_of_a_half_day_no_order_leaves",
        ],
        &["calendar"],
    ),
    fault(
        69,
        "closed without notice",
        &["a_clock_that_says_closed_on_a_day_of_the_calendar_keeps_the_run_from_trading"],
        &["calendar"],
    ),
    fault(
        70,
        "a clock that says open, a calendar that says closed",
        &["a_clock_that_says_open_when_the_calendar_says_closed_is_critical_and_trades_nothing"],
        &["calendar"],
    ),
    fault(
        71,
        "the whole market halted in mid-run",
        &["a_market_that_is_halted_as_a_whole_in_mid_run_costs_only_the_buys"],
        &["prices"],
    ),
    fault(
        72,
        "one symbol halted in mid-order",
        &["a_symbol_halted_a_moment_ago_is_tried_and_left"],
        &["prices"],
    ),
    fault(
        73,
        "the cut-off between sells and buys",
        &["sells_that_end_at_the_cut_off_are_followed_by_no_buy"],
        &[],
    ),
    fault(
        74,
        "a price that leaves the collar",
        &[
            "a_price_that_leaves_the_collar_before_the_order_is_not_chased",
            "a_price_that_runs_away_after_the_plan_does_not_overdraw_the_account",
        ],
        &["prices"],
    ),
    fault(75, "a wide spread", &["crossed_stale_and_wide_quotes_say_so"], &["prices"]),
];

const CORPORATE: &[Fault] = &[
    fault(
        76,
        "a split that the position does not show yet",
        &[
            "a_split_that_the_position_does_not_show_yet_blocks_its_symbol_alone",
            "a_split_overnight_scales_the_sleeves_and_trades_nothing",
        ],
        &["corporate"],
    ),
    fault(
        77,
        "a reverse split with a fraction",
        &["a_reverse_split_with_cash_in_lieu_is_explained"],
        &["corporate"],
    ),
    fault(
        78,
        "a new ticker, or none any more",
        &["a_new_ticker_keeps_its_sleeve", "a_new_ticker_follows_the_asset_id"],
        &["corporate"],
    ),
    fault(
        79,
        "a large dividend",
        &["a_dividend_is_cash_for_everybody", "losses_are_judged_net_of_transfers"],
        &["corporate"],
    ),
    fault(
        80,
        "a merger",
        &[
            "a_change_of_shares_that_is_not_understood_explains_nothing",
            "shares_that_vanish_without_a_fact_stop_everything",
        ],
        &[],
    ),
];

const STRATEGIES: &[Fault] = &[
    fault(
        81,
        "a strategy that breaks off",
        &[
            "a_panic_is_an_answer_and_the_same_process_serves_the_next_event",
            "the_text_of_a_strategy_is_read_or_refused",
        ],
        &["strategies", "panics"],
    ),
    fault(
        82,
        "weights that are no weights",
        &["an_empty_or_invalid_signal_is_a_failure"],
        &["strategies"],
    ),
    fault(
        83,
        "a walk without end",
        &["a_walk_without_end_stops_at_the_step_budget"],
        &["strategies"],
    ),
    fault(
        84,
        "an empty signal",
        &["an_empty_or_invalid_signal_is_a_failure", "a_failed_strategy_is_never_a_reason_to_sell"],
        &["strategies"],
    ),
    fault(
        85,
        "all strategies fail",
        &["more_than_half_of_the_allocation_failed_means_no_orders"],
        &["strategies"],
    ),
    fault(
        86,
        "a strategy's text was changed",
        &[
            "a_changed_allocation_or_strategy_and_an_unfinished_rebalance_make_a_sleeve_due",
            "another_text_of_a_strategy_trades_once_it_is_confirmed",
        ],
        &["strategies"],
    ),
    fault(
        87,
        "the opposite of a moment ago",
        &["a_full_flip_fits_the_turnover_of_a_run_and_a_second_one_that_of_a_day_does_not"],
        &["strategies"],
    ),
    fault(
        88,
        "two strategies on opposite sides",
        &[
            "the_smaller_side_is_met_in_full_and_the_rest_is_one_order",
            "no_sleeve_sells_more_than_it_holds_and_every_symbol_has_one_side",
        ],
        &["strategies"],
    ),
];

const NUMBERS: &[Fault] = &[
    fault(
        89,
        "an indicator that is no number",
        &[
            "meaningless_windows_give_no_number",
            "a_ratio_becomes_a_weight_only_between_zero_and_one",
            "a_member_without_any_movement_cannot_be_weighed",
        ],
        &[],
    ),
    fault(
        90,
        "figures beyond any account",
        &["bounds_are_the_stated_powers_of_ten", "the_brokers_answers_are_read_or_refused"],
        &[],
    ),
    fault(
        91,
        "equity of zero, below zero or missing",
        &[
            "money_that_is_missing_from_the_account_stops_the_run",
            "money_that_is_no_number_is_an_error_and_never_zero",
            "negative_cash_stops_the_run_and_sells_nothing",
        ],
        &[],
    ),
    fault(
        92,
        "a unit too many by rounding",
        &[
            "shares_are_cut_off_never_rounded_up",
            "buys_obey_both_cash_tests_whatever_the_sells_brought",
        ],
        &[],
    ),
    fault(
        93,
        "an order below the smallest",
        &[
            "exits_have_no_minimum_entries_need_five_dollars_and_resizes_need_m",
            "dust_is_shown_once_and_makes_nobody_due",
            "a_rest_below_the_smallest_order_is_dust_and_the_run_is_good",
        ],
        &[],
    ),
];

const STORE: &[Fault] = &[
    fault(
        94,
        "the store is down before the plan",
        &[
            "records_out_of_reach_for_a_moment_leave_the_run_to_the_next_resume",
            "a_store_that_goes_away_for_good_leaves_a_run_that_is_finished_later",
        ],
        &["store"],
    ),
    fault(
        95,
        "the store goes down between plan and orders",
        &["a_store_that_goes_away_for_good_leaves_a_run_that_is_finished_later"],
        &["store"],
    ),
    fault(
        96,
        "the store goes down after orders",
        &[
            "a_store_that_goes_away_for_good_leaves_a_run_that_is_finished_later",
            "a_final_record_that_is_not_kept_is_told_as_that_and_the_end_is_told_once",
        ],
        &["store"],
    ),
    fault(
        97,
        "a write that took effect, its answer lost",
        &["a_store_that_fails_now_and_then_is_asked_again"],
        &["store"],
    ),
    fault(
        98,
        "two writes at the same moment",
        &["a_store_that_stumbles_at_every_kind_of_call_costs_a_repetition"],
        &["store"],
    ),
    fault(
        99,
        "somebody else wrote first",
        &["of_many_writers_exactly_one_stores_and_the_others_get_its_bytes"],
        &["store", "scheduler"],
    ),
    fault(
        100,
        "a record damaged, replaced or of newer code",
        &[
            "a_plan_that_cannot_be_trusted_stops_the_run",
            "a_record_that_is_not_what_was_written_stops_the_run_until_it_is_restored",
            "stored_records_are_read_back_or_refused",
        ],
        &["damage"],
    ),
    fault(
        101,
        "an empty store, and orders of ours at the broker",
        &[
            "a_lost_store_with_orders_at_the_broker_stops_everything",
            "a_store_lost_on_the_same_day_sends_nothing_twice",
        ],
        &["damage"],
    ),
    fault(
        102,
        "the store may not be used",
        &[
            "a_store_that_may_not_be_written_sends_no_order",
            "a_store_that_denies_everything_fails_the_invocation_and_is_told_by_mail",
        ],
        &["store"],
    ),
];

const MAIL: &[Fault] = &[
    fault(
        103,
        "mail is overloaded or out of order",
        &[
            "a_carrier_that_stumbles_is_offered_the_mail_again",
            "a_carrier_that_is_down_or_throttles_for_good_costs_the_mail_and_not_the_day",
        ],
        &["mail"],
    ),
    fault(
        104,
        "the sender is not verified",
        &[
            "a_sender_that_is_not_verified_costs_the_mail_and_not_the_day",
            "a_run_whose_mail_is_refused_is_good_and_on_record",
        ],
        &["mail"],
    ),
    fault(
        105,
        "a letter that went, its answer lost",
        &["a_letter_whose_answer_is_lost_is_at_worst_sent_again_and_changes_nothing"],
        &["mail"],
    ),
    fault(
        106,
        "a letter too large",
        &[
            "a_letter_stays_below_what_mail_programs_show_whatever_happened",
            "the_largest_mail_stays_below_its_bound",
        ],
        &[],
    ),
    fault(
        107,
        "a storm of errors",
        &[
            "a_storm_of_errors_is_one_letter",
            "a_reason_to_stay_open_is_mailed_once",
            "what_stops_a_run_in_its_middle_is_mailed_at_once_and_the_run_mail_follows",
        ],
        &["requests", "orders"],
    ),
];

const LIFE: &[Fault] = &[
    fault(
        108,
        "killed at any call",
        &[
            "a_first_run_cut_off_before_any_request_is_finished_by_the_next_invocation",
            "a_flip_cut_off_after_any_answer_is_finished_by_the_next_invocation",
            "a_run_cut_off_anywhere_and_left_over_night_is_concluded_by_the_next_days_run",
        ],
        &["kills"],
    ),
    fault(
        109,
        "out of time",
        &[
            "a_run_that_begins_too_near_its_deadline_leaves_the_market_to_the_next_resume",
            "a_deadline_that_is_nearly_reached_at_the_start_ends_before_it_and_trades_nothing",
        ],
        &["freezes"],
    ),
    fault(
        110,
        "out of memory",
        &["a_ladder_cut_off_after_any_answer_is_finished_by_the_next_invocation"],
        &["kills"],
    ),
    fault(
        111,
        "a panic",
        &["a_panic_is_an_answer_and_the_same_process_serves_the_next_event"],
        &["panics"],
    ),
    fault(
        112,
        "frozen for ten minutes, then thawed",
        &["a_process_that_wakes_up_after_ten_minutes_sends_nothing_that_is_over"],
        &["freezes"],
    ),
    fault(
        113,
        "a process that served before",
        &[
            "the_function_answers_every_kind_of_event_in_one_process",
            "keys_changed_at_the_broker_and_in_the_secret_need_no_new_process",
        ],
        &["scheduler"],
    ),
    fault(
        114,
        "two versions of the code at once",
        &["code_that_did_not_make_the_plan_only_settles_it"],
        &["versions"],
    ),
    fault(
        115,
        "a clock that jumps",
        &["clocks_that_differ_keep_the_run_from_trading"],
        &["clocks"],
    ),
];

const RULES: &[Fault] = &[
    fault(
        116,
        "an unknown key",
        &[
            "an_unknown_key_and_a_broken_file_are_refused_with_their_place",
            "a_policy_is_understood_in_full_or_refused",
        ],
        &[],
    ),
    fault(
        117,
        "figures that make no sense",
        &[
            "allocations_must_sum_to_one_exactly",
            "limits_that_would_switch_a_guard_off_are_refused",
        ],
        &[],
    ),
    fault(118, "a limit that is missing", &["the_compiled_in_policy_is_the_documented_one"], &[]),
    fault(
        119,
        "a limit that was loosened",
        &["a_limit_that_is_loosened_is_told_of_in_three_runs_and_beyond_twice_it_waits"],
        &[],
    ),
    fault(
        120,
        "a host that is not the broker's",
        &["no_other_machine_and_no_live_account_is_ever_pointed_elsewhere"],
        &[],
    ),
    fault(
        121,
        "arming run out, of another account or beyond its equity",
        &[
            "an_arming_that_does_not_fit_in_every_part_permits_nothing",
            "an_unarmed_program_asks_the_live_broker_nothing_and_sends_nothing",
        ],
        &[],
    ),
];

const PEOPLE: &[Fault] = &[
    fault(122, "force clicked twice", &["a_force_clicked_twice_repeats_once"], &["operator"]),
    fault(
        123,
        "a person trades during the run",
        &[
            "a_person_who_trades_another_symbol_in_mid_run_keeps_what_is_theirs",
            "shares_sold_by_hand_after_the_plan_are_not_sold_again",
            "a_buy_by_hand_is_foreign",
        ],
        &["hands"],
    ),
    fault(
        124,
        "a person cancels our order",
        &[
            "an_order_that_a_person_cancels_goes_out_again_at_most_to_the_end_of_the_ladder",
            "the_rest_of_an_order_that_a_person_replaced_is_not_sent",
        ],
        &["hands"],
    ),
    fault(
        125,
        "records deleted",
        &[
            "a_lost_store_with_orders_at_the_broker_stops_everything",
            "a_record_that_is_gone_stops_the_run",
            "each_role_may_what_it_needs_and_nothing_more",
        ],
        &["damage"],
    ),
    fault(
        126,
        "a halt that was forgotten",
        &["a_halt_that_was_forgotten_is_said_in_every_letter"],
        &["operator"],
    ),
    fault(
        127,
        "money paid in or out in mid-run",
        &[
            "buys_are_cut_to_the_cash_when_money_leaves_between_the_phases",
            "a_deposit_is_put_to_work_and_is_no_gain",
        ],
        &["hands"],
    ),
];

const HOSTILE: &[Fault] = &[
    fault(
        128,
        "names that carry markup or line breaks",
        &[
            "no_text_changes_the_structure_of_the_letter_or_the_page",
            "a_line_break_cannot_start_a_header",
        ],
        &[],
    ),
    fault(
        129,
        "a redirect to elsewhere",
        &[
            "a_redirect_is_never_followed_and_never_a_success",
            "the_transport_carries_a_request_as_it_is_and_follows_no_redirect",
        ],
        &[],
    ),
    cannot(
        130,
        "called by somebody unexpected",
        "the template grants the call to the scheduler's role alone; whoever holds that role meets \
         the same guards as the scheduler",
        &[
            "each_role_may_what_it_needs_and_nothing_more",
            "the_functions_keep_their_logs_and_carry_no_secret_and_have_no_address",
        ],
    ),
    fault(
        131,
        "a plan that somebody changed",
        &[
            "a_record_that_is_not_what_was_written_stops_the_run_until_it_is_restored",
            "a_stored_plan_that_breaks_a_law_is_not_taken_up_again",
        ],
        &["damage"],
    ),
    fault(
        132,
        "keys in the text of an error",
        &[
            "keys_that_the_broker_refuses_and_repeats_are_read_once_more_and_shown_nowhere",
            "a_word_is_found_in_every_form_and_at_every_place_within_base64",
        ],
        &["keys"],
    ),
    fault(
        133,
        "a strategy of hostile depth or size",
        &[
            "a_hundred_thousand_brackets_are_refused_at_the_limit",
            "a_text_of_more_than_eight_megabytes_is_refused",
            "the_text_of_a_strategy_is_read_or_refused",
        ],
        &[],
    ),
];
