//! Promises.

mod desktop;
mod nginx_keeps_the_link;
