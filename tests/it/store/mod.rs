//! The conformance suite of the store's port: every promise of `src/store/mod.rs`, held against each adapter.
//!
//! The tests know the port and nothing behind it. An adapter joins with one line, [`conformance!`], which makes each promise a test of
//! that adapter. What only one adapter can do or suffer is tested in the file of that adapter; what databases of earlier versions need,
//! in `fixture`.

mod amend;
mod archive;
mod change;
mod changes;
pub(crate) mod deed;
mod fixture;
mod ledger;
mod lists;
mod lookback;
mod marker;
mod marketplace;
mod member;
mod model;
mod negotiation;
mod numbering;
mod offer;
mod once;
mod postgres;
mod push;
mod reading;
mod search;
mod secure;
mod seen;
pub(crate) mod sqlite;
mod story;
mod strangers;
mod terms;
mod timer;
mod truth;
mod upgrade;
mod webhook;
pub(crate) mod world;
mod writers;

use proptest::test_runner::{Config, RngSeed};

/// Makes each promise a test of one adapter: `conformance!(the module of its tests, what makes an empty database)`.
macro_rules! conformance {
    ($adapter:ident, $database:path) => {
        promises! { $adapter, $database,
            numbering: [
                numbers_have_no_holes_whatever_is_refused_or_repeated_in_between,
                commands_of_one_log_are_decided_in_turn_each_on_the_result_of_the_one_before,
                a_batch_of_any_size_over_many_logs_is_written_whole,
                every_entry_is_announced_exactly_as_it_is_kept_and_to_the_people_of_its_log,
                numbers_go_on_after_the_database_was_opened_again,
            ],
            once: [
                a_command_twice_in_a_batch_is_done_once_and_answered_twice,
                a_command_repeated_in_a_later_batch_gets_the_same_answer_and_writes_nothing,
                a_command_repeated_after_the_database_was_opened_again_gets_the_same_answer,
                the_same_id_of_another_actor_is_another_command,
                another_command_under_a_used_id_is_refused_and_the_first_one_stands,
                a_refused_command_leaves_no_trace_and_its_id_can_be_used_for_something_else,
                an_item_that_is_not_done_changes_nothing_for_its_neighbours,
                posts_and_changes_share_the_ids_of_their_author,
                a_repeat_is_answered_as_before_even_when_it_would_be_refused_by_now,
            ],
            change: [
                an_invitation_that_is_sent_stands_in_both_inboxes_and_both_views,
                an_acceptance_writes_proposal_room_first_entries_and_inboxes_in_one_go,
                an_answered_proposal_opens_its_room_with_the_letter_the_terms_and_the_answer,
                every_change_repeated_gets_the_same_answer_byte_for_byte_and_writes_nothing,
                a_refused_change_writes_nothing_anywhere_and_leaves_its_id_free,
                a_freelancer_has_one_open_candidacy_on_a_job_and_a_new_one_after_it_ended,
                what_a_case_was_decided_with_is_read_back_for_the_next_decision,
                a_change_of_something_that_is_not_there_is_never_decided,
                regression_a_client_cannot_tell_that_an_invitation_was_ignored,
            ],
            negotiation: [
                what_was_decided_is_what_the_next_decision_finds,
                fees_are_those_of_the_beginning_on_what_is_billed_now,
                fees_are_what_was_told_last_and_of_known_people_alone,
                of_several_candidacies_one_that_is_refused_is_left_alone_and_the_others_are_done,
                the_id_of_a_contract_belongs_to_one_candidacy,
                offers_contracts_and_terms_are_read_by_the_two_alone,
                reports_are_listed_newest_first_and_no_log_says_that_there_was_one,
                whoever_was_removed_is_a_stranger_after_the_entry_that_says_so,
                public_keys_are_kept_for_ever_the_first_one_first,
            ],
            terms: [
                of_many_versions_that_follow_the_same_one_exactly_one_is_kept,
                versions_are_listed_newest_first_each_as_it_stands_now,
            ],
            offer: [
                every_offer_of_a_candidacy_is_read_as_it_ended,
                of_many_answers_to_an_offer_exactly_one_is_kept,
            ],
            member: [
                a_command_on_a_room_finds_whom_and_what_it_names,
                whoever_was_brought_in_again_reads_all_and_goes_on_from_the_own_marker,
                a_member_is_decided_on_as_the_marketplace_told_last,
            ],
            archive: [
                the_subject_of_a_room_is_its_job_and_its_two_people_as_they_are_now,
                a_case_has_the_same_room_by_every_key,
                regression_the_room_of_two_people_is_that_of_the_case_a_command_finds,
            ],
            timer: [
                what_is_due_is_told_the_longest_due_first_and_nothing_else,
                what_has_happened_is_due_no_more_and_happens_once,
                a_command_that_comes_first_leaves_nothing_due,
                the_end_of_a_job_is_due_until_it_has_ended_all_that_it_ends,
                regression_what_is_due_for_two_reasons_is_told_once_and_in_its_order,
                what_is_due_happens_once_however_many_look,
            ],
            ledger: [
                a_row_is_kept_with_what_brings_it_about_and_its_owner_alone_reads_it,
                pages_of_a_ledger_give_every_row_once_newest_first,
                whoever_s_row_changes_is_due_and_told_once_of_what_is_shown,
                of_many_who_tell_at_once_one_does_and_it_counts_for_nothing_unread,
            ],
            truth: [
                the_commit_after_a_change_of_phase_is_decided_on_the_new_phase,
                the_commit_after_a_change_of_standing_is_decided_on_the_new_standing,
                a_refusal_says_of_an_account_what_was_told_last_also_when_the_status_stays,
                a_change_is_decided_on_the_standing_and_the_job_as_they_are,
                entries_of_changes_and_of_posts_stand_in_one_row_of_numbers,
            ],
            lookback: [
                what_was_written_since_is_found_for_those_whose_it_is,
                an_inbox_that_has_grown_is_found_for_its_owner,
                a_removal_is_found_whoever_is_asked_for,
                the_people_of_a_log_are_those_of_now,
            ],
            strangers: [
                what_a_reader_is_no_party_of_is_answered_like_what_does_not_exist,
                a_command_on_what_one_is_no_party_of_is_refused_like_one_on_what_does_not_exist,
                a_job_is_seen_while_it_is_open_and_by_its_people_for_ever,
                regression_a_suspended_freelancer_does_not_learn_of_a_job_that_takes_nobody,
                regression_nobody_writes_into_an_inbox_and_only_its_owner_is_told_so,
            ],
            reading: [
                access_to_sixty_four_logs_is_answered_in_their_order,
                access_tells_the_hash_of_the_entry_that_was_asked_about,
                a_stretch_of_a_log_is_what_its_bounds_say_at_every_boundary,
                a_stretch_of_a_log_is_what_its_bounds_say,
                a_text_is_kept_byte_for_byte,
                an_id_that_looks_like_something_else_is_an_id_like_any_other,
                the_measure_of_a_stretch_is_the_bytes_of_its_parts,
                a_page_ends_at_its_bytes_and_never_before_one_entry,
                a_log_that_is_empty_or_missing_has_no_entries,
            ],
            marker: [
                what_was_read_only_rises_and_everybody_of_the_room_sees_it,
                marking_unread_goes_back_for_oneself_alone_and_the_next_reading_goes_on,
                unread_is_what_counting_one_by_one_gives_at_every_place,
                a_mark_of_a_stranger_is_refused_like_one_in_a_room_that_is_not_there,
                a_mark_beyond_the_end_is_refused_and_moves_nothing,
                several_marks_of_one_person_in_one_batch_are_done_in_turn,
                markers_are_there_after_the_database_was_opened_again,
                a_suspended_person_reads_on,
                whatever_is_marked_the_markers_are_those_of_a_simple_model,
            ],
            amend: [
                an_edit_is_an_entry_and_every_version_stays,
                an_edit_is_done_within_its_window_and_not_after_it,
                only_its_author_amends_a_message_and_strangers_learn_nothing,
                an_edit_or_a_redaction_is_no_message_that_could_be_amended,
                nobody_amends_in_a_room_that_is_closed_or_while_suspended_but_the_marketplace_deletes,
                the_marketplace_deletes_in_its_own_name_and_edits_nothing,
                an_amendment_repeated_gets_the_same_answer_and_another_under_its_id_is_refused,
                what_was_deleted_is_shown_to_nobody_and_the_chain_holds,
                what_was_deleted_is_not_restored_by_sending_it_again,
                the_first_message_of_a_room_is_deleted_like_any_other,
                after_a_hire_only_the_marketplace_deletes,
            ],
            changes: [
                without_a_place_every_log_with_entries_is_told_and_with_it_what_has_grown_since,
                of_three_hundred_rooms_exactly_the_forty_that_have_grown_are_told_oldest_first,
                a_log_is_told_to_its_people_alone,
                a_place_that_is_not_of_this_database_is_reset_and_everything_told,
                a_place_is_good_after_the_database_was_opened_again,
                what_is_committed_between_two_pages_is_never_left_out,
                what_is_committed_while_asking_is_never_left_out,
            ],
            search: [
                a_message_is_found_by_all_of_its_words_and_the_beginning_of_the_last,
                accents_and_case_make_no_difference_in_any_script,
                signs_of_the_question_language_are_words_like_any_other,
                nobody_finds_what_stands_in_a_room_of_others,
                every_version_of_a_message_is_found_until_it_is_deleted,
                what_was_deleted_before_it_was_made_ready_is_never_found,
                pages_of_what_was_found_give_everything_once_newest_first,
                whoever_has_many_rooms_finds_in_all_of_them,
            ],
            lists: [
                pages_give_every_item_exactly_once_newest_first,
                a_filtered_list_has_exactly_the_items_that_show_that_value,
                a_client_never_sees_that_an_invitation_is_archived,
                an_invitation_is_expired_from_the_moment_it_is_due,
                a_client_finds_the_candidacies_it_has_sorted_so_and_nobody_else_does,
                a_list_is_of_its_reader_alone,
            ],
            marketplace: [
                a_person_is_what_the_marketplace_told_last,
                tokens_that_were_taken_back_stay_so_whatever_is_told_later,
                a_job_never_changes_hands_and_is_otherwise_what_the_marketplace_told_last,
                a_jobs_own_fee_schedule_comes_before_the_one_called_default,
                jobs_are_listed_newest_first_open_ones_and_the_readers_own,
                the_first_key_of_a_name_is_kept_for_ever,
                a_store_that_was_opened_is_ready,
            ],
            webhook: [
                every_entry_is_told_once_in_the_order_of_its_log_however_it_is_paged,
                a_place_of_another_database_is_answered_with_a_reset_and_everything,
                a_webhook_is_kept_as_it_was_told_last_and_goes_on_where_it_was,
                one_worker_has_a_webhook_at_a_time_and_what_another_one_keeps_is_lost,
                a_round_has_what_comes_next_and_what_was_held_up_and_leaves_the_rest,
                a_thousand_attempts_are_kept_and_what_is_parked_for_as_long_as_it_is,
                a_disabled_webhook_is_told_of_in_an_inbox_once_and_nobody_works_for_it,
            ],
            push: [
                what_is_unread_of_a_log_is_due_once_on_each_browser_and_nothing_of_ones_own,
                an_invitation_is_due_with_its_commit_and_later_when_it_is_on_a_screen,
                a_browser_is_its_last_persons_alone_and_a_person_has_twenty,
            ],
            writers: [
                of_many_writers_with_overlapping_ids_each_id_gets_one_number,
                of_many_acceptances_at_once_one_opens_the_room,
            ],
            model: [
                whatever_is_done_the_logs_are_those_of_a_simple_model,
            ],
        }
    };
}

macro_rules! promises {
    ($adapter:ident, $database:path, $($topic:ident: [$($promise:ident,)*],)*) => {
        mod $adapter {
            $(mod $topic {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $promise() {
                        let world = crate::store::world::World::new($database()).await;
                        crate::store::$topic::$promise(world).await;
                    }
                )*
            })*
        }
    };
}

conformance!(on_sqlite, crate::store::sqlite::database);
conformance!(on_postgres, crate::store::postgres::database);

/// The same cases each time, and more of them or others when the environment says so.
pub(crate) fn property(cases: u32) -> Config {
    let told = Config::default();
    let more = std::env::var_os("PROPTEST_CASES").is_some();
    let rng_seed = if told.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { told.rng_seed };
    Config { cases: if more { told.cases } else { cases }, rng_seed, failure_persistence: None, ..told }
}

/// The same for cases on a database, which keeps what those before have written: each costs more than the one before, so of more there are a
/// tenth as many.
fn kept_property(cases: u32) -> Config {
    let config = property(cases);
    Config { cases: cases.max(config.cases / 10), ..config }
}
