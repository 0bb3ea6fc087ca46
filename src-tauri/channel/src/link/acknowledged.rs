//! Whether the other side's kernel has taken all that we sent: then its machine lives and the way to it works, however silent
//! the application is. Only Linux tells, in `/proc`.

use std::fs;
use std::net::{IpAddr, SocketAddr};

use crate::Route;

/// Whether nothing of what was sent on this connection is unacknowledged; `None` where that can't be told.
pub(crate) fn all(route: &Route) -> Option<bool> {
    let table = if route.from.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    in_table(&fs::read_to_string(table).ok()?, route)
}

fn in_table(table: &str, route: &Route) -> Option<bool> {
    let (from, to) = (written(route.from), written(route.to));
    // The columns: number, local and remote address, state, and what waits to be acknowledged and to be read.
    table.lines().find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let ours = columns.next()? == from && columns.next()? == to;
        let (unacknowledged, _) = columns.nth(1)?.split_once(':')?;
        ours.then(|| u32::from_str_radix(unacknowledged, 16).ok())?.map(|bytes| bytes == 0)
    })
}

/// As the table has it: words of 32 bits in the machine's own order.
fn written(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = octets.chunks_exact(4).map(|word| word.try_into().map_or(0, u32::from_ne_bytes));
    let host: String = words.map(|word| format!("{word:08X}")).collect();
    format!("{host}:{:04X}", address.port())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_nobody_reads_is_unacknowledged_once_the_kernels_buffers_are_full() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // Not every machine has IPv6.
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let _unread = listener.accept().unwrap();
            let route = Route { from: stream.local_addr().unwrap(), to: stream.peer_addr().unwrap() };
            assert_eq!(all(&route), Some(true), "{address}");
            stream.write_all(b"a ping").unwrap();
            while all(&route) != Some(true) {
                std::thread::yield_now();
            }
            stream.set_nonblocking(true).unwrap();
            let error = loop {
                match stream.write(&[0; 65536]) {
                    Ok(written) => assert!(written > 0),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert_eq!(all(&route), Some(false), "{address}");
        }
    }

    #[test]
    fn a_connection_that_is_not_there_tells_nothing() {
        let route = Route { from: "127.0.0.1:1".parse().unwrap(), to: "127.0.0.1:2".parse().unwrap() };
        assert_eq!(all(&route), None);
        assert_eq!(in_table("nonsense\n 0: 0100007F:0001", &route), None);
    }
}
