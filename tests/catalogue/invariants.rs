//! What must hold whatever goes wrong, by number, and what watches over it.

/// One law.
pub(crate) struct Invariant {
    /// Its name: `I1`, `L1`.
    pub(crate) name: &'static str,
    /// In a few words.
    pub(crate) what: &'static str,
    /// The checks of the oracle that see it broken.
    pub(crate) checks: &'static [&'static str],
    /// The mutants that break it.
    pub(crate) mutants: &'static [&'static str],
    /// Tests of it beside the simulation.
    pub(crate) tests: &'static [&'static str],
    /// Why no oracle or mutant can show it, where none can: who watches instead.
    pub(crate) elsewhere: Option<&'static str>,
}

const fn law(
    name: &'static str,
    what: &'static str,
    checks: &'static [&'static str],
    mutants: &'static [&'static str],
    tests: &'static [&'static str],
) -> Invariant {
    Invariant { name, what, checks, mutants, tests, elsewhere: None }
}

const fn by_tests(
    name: &'static str,
    what: &'static str,
    why: &'static str,
    tests: &'static [&'static str],
) -> Invariant {
    Invariant { name, what, checks: &[], mutants: &[], tests, elsewhere: Some(why) }
}

/// Every law.
pub(crate) const INVARIANTS: &[Invariant] = &[
    law(
        "I1",
        "the fills of an item never exceed what was planned",
        &["filled-at-most-planned", "plan-before-order"],
        &["random-ids", "rest-forgets-fills"],
        &["books_are_right_after_any_storm"],
    ),
    law(
        "I1b",
        "one plan per run, one side per symbol",
        &["one-plan", "one-side", "filled-at-most-planned"],
        &["plan-again"],
        &["a_resume_goes_on_with_the_stored_plan_whatever_the_strategies_say_now"],
    ),
    law(
        "I2",
        "never sell more than is held",
        &["never-short"],
        &["rest-forgets-fills"],
        &["a_sale_of_more_than_is_available_is_made_smaller_under_the_same_name"],
    ),
    law(
        "I3",
        "cash never falls below zero, the reserve is the allowance for slippage",
        &["cash-never-negative", "buys-within-budget"],
        &["buying-power", "planned-proceeds"],
        &[
            "the_buying_power_of_a_margin_account_is_not_spent",
            "buys_obey_both_cash_tests_whatever_the_sells_brought",
        ],
    ),
    law(
        "I4",
        "no order outside the session or after the cut-off",
        &["in-session"],
        &["no-cutoff"],
        &["after_the_cut_off_of_a_half_day_no_order_leaves"],
    ),
    law(
        "I5",
        "live needs every permission there is",
        &["another-version-sends-nothing", "preview-sends-nothing"],
        &["any-version"],
        &[
            "an_arming_that_does_not_fit_in_every_part_permits_nothing",
            "an_unarmed_program_asks_the_live_broker_nothing_and_sends_nothing",
        ],
    ),
    law(
        "I6",
        "a record before the first order, an end on record or somebody told",
        &["plan-before-order", "every-run-ends", "somebody-is-told"],
        &["buy-plan-not-kept", "left-open-forgotten"],
        &["a_run_that_died_in_the_middle_is_told_with_how_far_it_came"],
    ),
    by_tests(
        "I7",
        "no key and no account number anywhere",
        "the oracle's secrets-show-nowhere looks through every byte; what a broker echoes is planted by the tests",
        &[
            "no_error_and_no_log_line_shows_a_key_even_if_the_broker_echoes_it",
            "keys_that_the_broker_echoes_are_shown_nowhere",
        ],
    ),
    law(
        "I8",
        "data that is missing or wrong trades nothing",
        &["failure-sells-nothing"],
        &["failure-sells"],
        &[
            "a_stale_last_bar_holds_the_strategy_and_names_both_days",
            "a_bar_that_is_no_price_costs_its_symbol_and_no_other",
        ],
    ),
    law(
        "I9",
        "weights are weights, and targets and reserve fit the equity",
        &["weights-are-weights", "buys-within-budget"],
        &["reserve-spent"],
        &[
            "due_targets_and_held_value_stay_within_the_larger_of_deployable_and_held",
            "allocations_sum_to_at_most_one_and_each_buy_stays_within_its_weight",
        ],
    ),
    law(
        "I10",
        "a failure is never a reason to sell",
        &["failure-sells-nothing"],
        &["failure-sells"],
        &["a_failed_strategy_is_never_a_reason_to_sell"],
    ),
    law(
        "I11",
        "nothing goes to cash unless a strategy says so",
        &["cash-only-when-said"],
        &["failure-sells"],
        &["going_to_cash_without_a_strategy_saying_so_is_stopped"],
    ),
    by_tests(
        "I12",
        "every order passed the gate",
        "only the gate can make what the broker's port takes: anything else does not compile",
        &[
            "an_attempt_within_every_rule_becomes_an_order",
            "an_attempt_outside_any_rule_is_refused_by_that_rule",
        ],
    ),
    law(
        "I13",
        "quantities and prices are exact and on their steps",
        &["on-the-tick"],
        &["no-tick"],
        &[
            "shares_are_cut_off_never_rounded_up",
            "an_order_is_a_limit_for_the_day_that_cannot_go_short",
        ],
    ),
    law(
        "I14",
        "the next attempt begins when the one before has ended at the broker",
        &["attempts-in-turn"],
        &["next-before-cancelled"],
        &["no_attempt_begins_before_the_one_before_it_has_ended_at_the_exchange"],
    ),
    law(
        "I15",
        "what nobody knows is sent again under the same name only, and never larger",
        &["same-id-never-larger", "filled-at-most-planned"],
        &["new-id-after-not-found"],
        &["an_order_that_no_look_up_finds_is_sent_again_under_its_own_name_only"],
    ),
    law(
        "I16",
        "buys begin when the sells have ended and a buy plan is on record",
        &["buys-after-sells"],
        &["buys-at-once"],
        &["no_buy_is_accepted_before_the_last_sell_has_ended"],
    ),
    law(
        "I17",
        "orders are what reading says, not what the stream says",
        &["buys-after-sells"],
        &["stream-is-truth"],
        &["a_stream_that_cannot_be_opened_dies_or_is_mute_changes_nothing"],
    ),
    law(
        "I18",
        "after a halt at most one request is under way",
        &["halt-stops-orders"],
        &["asked-once"],
        &["a_halt_between_sells_and_buys_stops_the_buys"],
    ),
    law(
        "I19",
        "limits hold over retries, generations and processes",
        &["filled-at-most-planned", "attempts-bounded"],
        &["rest-forgets-fills"],
        &["three_rejections_end_the_sending", "the_days_limits_count_every_generation"],
    ),
    law(
        "I20",
        "what is not ours is left alone",
        &["foreign-untouched"],
        &["foreign-taken"],
        &[
            "foreign_shares_are_never_touched",
            "a_foreign_open_order_blocks_its_symbol_and_nothing_else",
        ],
    ),
    law(
        "I21",
        "a repetition by force is the next generation, once",
        &["generations-in-turn"],
        &["force-anyway"],
        &["a_force_clicked_twice_repeats_once"],
    ),
    law(
        "I22",
        "late and unknown events do not trade",
        &["late-never-trades"],
        &["never-too-late"],
        &["an_event_that_comes_late_does_not_trade", "an_event_is_understood_in_full_or_refused"],
    ),
    law(
        "I23",
        "no orders while clocks or calendar disagree",
        &["skew-never-trades"],
        &["skew-ignored"],
        &[
            "clocks_that_differ_keep_the_run_from_trading",
            "a_clock_that_says_closed_on_a_day_of_the_calendar_keeps_the_run_from_trading",
        ],
    ),
    by_tests(
        "I24",
        "only nameable, tradable shares",
        "a trial's strategies declare all that they name (check: universe); what they must not name is tried by the tests",
        &["only_nameable_symbols_are_bought_and_only_named_or_held_ones_planned"],
    ),
    law(
        "I25",
        "all work is bounded and ends before its time",
        &["ends-in-time"],
        &["deadline-ignored"],
        &[
            "pages_without_end_are_an_error",
            "a_list_of_orders_that_never_ends_is_an_error",
            "a_run_has_a_budget_of_requests",
        ],
    ),
    by_tests(
        "I26",
        "answers in any number and order lead to the same state",
        "a law of a pure function, shown for any order of any views",
        &[
            "views_of_an_order_in_any_order_and_number_lead_to_the_same_end",
            "a_message_seen_twice_changes_nothing_the_second_time",
        ],
    ),
    law(
        "I27",
        "what is told is what happened",
        &["final-tells-the-truth"],
        &["lost-means-refused"],
        &["what_was_filled_is_told_as_filled_by_letter_record_and_exchange_alike"],
    ),
    law(
        "I28",
        "trouble with telling changes no trade and hides nothing",
        &["told-once", "told-after-the-end"],
        &["mail-first", "mail-again"],
        &["a_run_whose_mail_is_refused_is_good_and_on_record"],
    ),
    law(
        "I29",
        "records are never changed",
        &["records-never-change", "chain-holds"],
        &["memory-over-store"],
        &[
            "of_many_writers_exactly_one_stores_and_the_others_get_its_bytes",
            "records_are_private_stay_and_are_written_once",
        ],
    ),
    law(
        "I30",
        "the same inputs give the same bytes",
        &["calm-is-perfect"],
        &["random-ids"],
        &[
            "the_same_inputs_give_the_same_bytes_in_whatever_order_the_broker_lists_them",
            "an_order_has_the_same_name_whoever_sends_it_and_whatever_the_account_holds",
        ],
    ),
    by_tests(
        "I31",
        "paper and live share no secret, no records, no ids",
        "a simulated world is one account of one mode; the names of both are built by tested code",
        &[
            "each_mode_has_its_own_trading_host_and_shares_the_data_host",
            "keys_of_the_other_world_are_refused",
            "an_order_id_is_the_same_for_the_same_intent_and_reads_back",
            "a_run_key_reads_as_its_path",
        ],
    ),
    law(
        "I32",
        "a panic leaves a run that can be taken up",
        &["every-run-ends"],
        &["lease-for-ever"],
        &["a_panic_is_an_answer_and_the_same_process_serves_the_next_event"],
    ),
    law(
        "I33",
        "a split blocks its symbol until all figures agree",
        &["split-waits"],
        &["split-ignored"],
        &["a_split_that_the_position_does_not_show_yet_blocks_its_symbol_alone"],
    ),
    law(
        "I34",
        "what a run does not expect stops it before its plan",
        &["lost-records-stop"],
        &["lost-is-first"],
        &[
            "shares_that_vanish_without_a_fact_stop_everything",
            "an_order_whose_cancel_never_got_through_is_cancelled_before_the_next_run_decides",
        ],
    ),
    law(
        "I35",
        "start, fills and end add up",
        &["ledger-is-the-account"],
        &["ordered-means-bought"],
        &["shares_sold_by_hand_after_the_plan_are_not_sold_again"],
    ),
    law(
        "L1",
        "when trouble is over a resume brings the run to its end",
        &["every-run-ends"],
        &["lease-for-ever"],
        &["a_first_run_cut_off_before_any_request_is_finished_by_the_next_invocation"],
    ),
    law(
        "L2",
        "somebody is told in time",
        &["somebody-is-told"],
        &["watch-sleeps"],
        &["a_weekday_without_a_run_is_told_with_the_last_record_there_is"],
    ),
    law(
        "L3",
        "no run is open after the close",
        &["none-left-open", "every-run-ends"],
        &["lease-for-ever"],
        &["a_resume_after_the_close_still_settles_what_was_sent"],
    ),
];
