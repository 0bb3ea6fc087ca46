//! What the real window promises, on a headless desktop with the real agent. Needs both binaries:
//! `cargo build -p tidings --bins`.

mod a_crash_is_told_and_its_report_copied;
mod a_picture_is_seen;
mod closing_it_leaves_nothing_behind;
mod hostile_messages_are_text;
mod hostile_sites_get_nothing_of_it;
mod it_ends_tidings_when_asked;
mod it_goes_the_channels_own_way;
mod it_is_one_window;
mod it_leads_from_nothing_to_a_message;
mod it_leaves_no_ghost_link;
mod it_loads_no_graphics_driver;
mod it_offers_no_sign_in_in_vain;
mod it_outlives_the_agent;
mod it_remembers_its_size_and_place;
mod it_sends;
mod it_shows_and_commands;
mod it_signs_in_as_the_web_app_does;
mod it_signs_in_in_several_steps;
mod it_zooms_and_stays_so;
mod no_page_shows_a_secret;
mod web_app;
