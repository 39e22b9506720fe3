//! People in a real Keystone before they come, and gone from it when they are let go.

mod bounds;
mod by_hand;
mod crowds;
mod later;
mod offboarding;
mod outage;
mod tenants;
mod world;

use world::World;

/// One Keystone for all of it, in an order in which each part finds what it needs.
#[tokio::test]
async fn people_are_there_before_they_come_and_gone_when_they_are_let_go() {
    let mut world = World::start().await;
    by_hand::a_plan_is_shown_and_made_and_nothing_else(&world).await;
    by_hand::what_was_applied_decides_by_hand(&world).await;
    by_hand::the_account_is_a_manager_and_nothing_more(&world).await;
    by_hand::an_account_with_more_is_turned_away(&world).await;
    by_hand::what_others_made_stays_and_is_named(&world).await;
    by_hand::a_pass_that_was_killed_is_finished_by_the_next(&world).await;
    tenants::an_upstream_speaks_for_its_own_tenant_alone(&world).await;
    tenants::managers_keep_to_their_domain(&world).await;
    outage::an_outage_queues_and_loses_nothing(&mut world).await;
    offboarding::a_lost_group_takes_what_came_with_it(&mut world).await;
    offboarding::who_is_let_go_has_nothing_left(&world).await;
    offboarding::a_credential_that_a_limited_token_made_goes_too(&mut world).await;
}

/// Another Keystone of the same kind, for what takes many people: both run at the same time.
#[tokio::test]
async fn passes_are_bounded_and_take_turns() {
    let mut world = World::start().await;
    bounds::a_pass_takes_access_from_few(&mut world).await;
    bounds::the_disabled_are_deleted_in_time(&world).await;
    bounds::replicas_take_turns(&mut world).await;
    crowds::crowds_and_strange_names_stay_apart(&world).await;
    crowds::keystone_restarts_in_the_middle_of_a_pass(&mut world).await;
    later::a_keeper_comes_and_goes_without_a_restart(&mut world).await;
}
