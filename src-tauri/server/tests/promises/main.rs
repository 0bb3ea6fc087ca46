//! What the server promises, over real loopback sockets and with an independent client.

mod access;
mod client;
mod faults;
mod hostile;
mod killed;
mod links;
mod missed;
mod nats;
mod nats_access;
mod nodes;
mod operating;
mod pushes;
mod replay;
mod requests;
mod stop;
mod units;
mod v1;
