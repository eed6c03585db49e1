//! What went wrong elsewhere, and the tests that would see it here.
//!
//! The numbers are those of the list of forty incidents that this program was designed after; the
//! letters stand for the seven faults of a protocol like ours.

/// One lesson: its number or letter, what went wrong, and its tests.
pub(crate) type Lesson = (&'static str, &'static str, &'static [&'static str]);

/// Every lesson.
pub(crate) const LESSONS: &[Lesson] = &[
    (
        "a",
        "ids at random",
        &["an_order_has_the_same_name_whoever_sends_it_and_whatever_the_account_holds"],
    ),
    (
        "b",
        "ids at random and no lease",
        &["two_processes_that_both_believe_in_their_lease_send_each_order_once"],
    ),
    (
        "c",
        "a plan made again by a resume",
        &["a_resume_goes_on_with_the_stored_plan_whatever_the_strategies_say_now"],
    ),
    (
        "d",
        "a new id after a look-up in vain",
        &["an_order_that_no_look_up_finds_is_sent_again_under_its_own_name_only"],
    ),
    (
        "e",
        "the next attempt before the cancel is final",
        &["no_attempt_begins_before_the_one_before_it_has_ended_at_the_exchange"],
    ),
    ("f", "a budget of buying power", &["the_buying_power_of_a_margin_account_is_not_spent"]),
    (
        "g",
        "a broker that takes an id twice",
        &[
            "a_name_that_was_taken_once_is_refused_for_ever",
            "a_client_id_is_taken_for_ever",
            "an_order_that_was_lost_goes_out_again_only_where_ids_are_trusted",
            "an_intent_that_another_invocation_wrote_is_never_sent",
        ],
    ),
    (
        "1",
        "orders without ids",
        &[
            "an_order_is_never_sent_twice_and_a_lost_answer_is_ambiguous",
            "an_order_of_ours_needs_only_id_and_status",
        ],
    ),
    (
        "2",
        "several working orders of one symbol",
        &["no_attempt_begins_before_the_one_before_it_has_ended_at_the_exchange"],
    ),
    (
        "3",
        "replaced before the cancel was confirmed",
        &["no_attempt_begins_before_the_one_before_it_has_ended_at_the_exchange"],
    ),
    (
        "4",
        "going on after a cancel that timed out",
        &["a_cancel_that_never_completes_is_followed_by_no_further_attempt"],
    ),
    (
        "5",
        "the whole again after a part",
        &["the_rest_of_a_partial_fill_goes_out_under_the_next_attempt"],
    ),
    (
        "6",
        "orders left by earlier runs",
        &[
            "an_order_that_an_earlier_run_left_working_is_cancelled_before_the_next_decides",
            "an_order_whose_cancel_never_got_through_is_cancelled_before_the_next_run_decides",
            "a_foreign_open_order_blocks_its_symbol_and_nothing_else",
        ],
    ),
    (
        "7",
        "the same price again and again",
        &["every_further_attempt_bids_more_and_the_last_one_ends_it"],
    ),
    (
        "8",
        "ended taken for filled",
        &[
            "the_rest_of_a_partial_fill_goes_out_under_the_next_attempt",
            "a_partial_fill_that_never_gets_its_rest_is_kept_and_said",
        ],
    ),
    ("9", "a bid above the ask", &["attempts_walk_from_our_own_side_across_the_spread"]),
    ("10", "a limit below zero", &["a_price_is_above_zero_and_steps_by_its_tick"]),
    (
        "11",
        "an order at one cent because the ask was zero",
        &["a_quote_with_a_zero_ask_is_one_sided_and_never_a_price"],
    ),
    (
        "12",
        "one side of a quote made up from the other",
        &[
            "crossed_stale_and_wide_quotes_say_so",
            "without_a_quote_or_a_fresh_trade_a_symbol_is_not_traded",
        ],
    ),
    (
        "13",
        "an exit of a sliver more than was held",
        &[
            "a_full_exit_leaves_no_dust",
            "a_sale_of_the_entire_position_uses_the_brokers_quantity",
            "a_sale_of_more_than_is_available_is_made_smaller_under_the_same_name",
        ],
    ),
    (
        "14",
        "a fraction that could not be closed",
        &[
            "a_full_exit_leaves_no_dust",
            "whole_shares_are_rounded_down_and_less_than_one_is_skipped",
        ],
    ),
    (
        "15",
        "a whole-share asset that failed the run",
        &[
            "an_asset_that_trades_whole_is_ordered_whole",
            "an_asset_that_turns_out_to_trade_whole_is_ordered_again_under_the_same_name",
        ],
    ),
    (
        "16",
        "orders below a dollar",
        &["exits_have_no_minimum_entries_need_five_dollars_and_resizes_need_m"],
    ),
    (
        "17",
        "a crash on a status nobody knew",
        &["a_status_that_nobody_knows_ends_neither_the_order_nor_the_run"],
    ),
    (
        "18",
        "fills taken for failures for want of a price",
        &["a_fill_whose_price_is_not_known_is_a_fill"],
    ),
    (
        "19",
        "fills faster than the listening",
        &["an_order_executed_before_its_answer_arrives_is_seen"],
    ),
    (
        "20",
        "buys beyond the money",
        &[
            "buys_fit_the_cash_less_the_reserve_and_the_cash_at_their_worst_limits",
            "buys_are_cut_to_the_cash_when_money_leaves_between_the_phases",
        ],
    ),
    (
        "21",
        "a reserve taken in four places",
        &[
            "the_reserve_is_the_largest_of_its_three_sources",
            "a_first_run_buys_what_the_strategy_wants",
        ],
    ),
    (
        "22",
        "plans beyond cash and proceeds",
        &["buys_obey_both_cash_tests_whatever_the_sells_brought"],
    ),
    ("23", "buys after failed sells", &["a_failed_sell_costs_only_its_own_sleeve"]),
    (
        "24",
        "everything sold because cash was negative",
        &["negative_cash_stops_the_run_and_sells_nothing"],
    ),
    (
        "25",
        "orders of a restricted account",
        &["whatever_blocks_an_account_is_listed", "a_blocked_account_is_left_alone"],
    ),
    (
        "26",
        "positions that nobody wanted were kept",
        &["a_strategy_taken_out_of_the_policy_passes_its_shares_on_or_sells_them"],
    ),
    (
        "27",
        "items lost between plan and orders",
        &["every_item_of_a_plan_is_filled_or_said_to_be_not"],
    ),
    (
        "28",
        "missing money taken for zero",
        &["money_that_is_missing_from_the_account_stops_the_run"],
    ),
    ("29", "streams left open", &["a_second_connection_refused_by_the_broker_says_too_many"]),
    ("30", "an index by another formula", &["the_index_follows_wilders_recursion_by_hand"]),
    (
        "31",
        "bars that were not complete",
        &["todays_unfinished_bar_is_dropped_and_symbols_without_bars_are_absent"],
    ),
    (
        "32",
        "a last bar of another day",
        &["a_stale_last_bar_holds_the_strategy_and_names_both_days"],
    ),
    ("33", "empty figures taken for neutral ones", &["a_short_history_is_named_with_its_window"]),
    (
        "34",
        "shown signals that were not traded",
        &["the_stored_inputs_decide_the_stored_plan_again"],
    ),
    ("35", "weights beyond one", &["allocations_must_sum_to_one_exactly"]),
    ("36", "a failure taken for absence", &["a_failed_strategy_is_never_a_reason_to_sell"]),
    (
        "37",
        "twice a day, five minutes apart",
        &["two_schedules_for_one_slot_five_minutes_apart_trade_once_and_write_once"],
    ),
    (
        "38",
        "runs on closed and shortened days",
        &[
            "a_closed_day_is_one_quiet_mail",
            "a_half_day_trades_before_its_early_close",
            "after_the_cut_off_of_a_half_day_no_order_leaves",
        ],
    ),
    (
        "39",
        "two mails, and fills told as failures",
        &[
            "what_was_filled_is_told_as_filled_by_letter_record_and_exchange_alike",
            "a_second_day_without_news_trades_nothing_and_says_so",
            "a_run_whose_mail_is_refused_is_good_and_on_record",
        ],
    ),
    (
        "40",
        "an error that called the program again",
        &[
            "another_services_event_is_refused_and_shown_the_right_shape",
            "an_event_is_understood_in_full_or_refused",
        ],
    ),
];
