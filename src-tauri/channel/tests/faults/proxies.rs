//! Proxies, good and bad (D4).

use tidings_channel::ProxyUrl;
use tokio::io::copy_bidirectional;

use super::trust::{Authority, FAR};
use super::*;

pub(super) fn through(proxy: &str, port: u16) -> Config {
    Config { proxy: Some(ProxyUrl::parse(proxy).expect("a proxy")), ..config("ws", port) }
}

/// Takes one CONNECT and answers it; on 200 it leads to `server`. Returns what was asked.
pub(super) async fn connect_proxy(proxy: &TcpListener, answer: &str, server: u16) -> String {
    let mut stream = dialled(proxy).await;
    let asked = head(&mut stream).await;
    stream.write_all(answer.as_bytes()).await.expect("sent");
    if answer.contains(" 200 ") {
        lead(stream, server);
    }
    asked
}

fn lead(mut stream: TcpStream, server: u16) {
    tokio::spawn(async move {
        let mut onward = TcpStream::connect(("127.0.0.1", server)).await.expect("the server listens");
        let _ = copy_bidirectional(&mut stream, &mut onward).await;
    });
}

#[tokio::test]
async fn a_connect_proxy_with_a_password_leads_to_the_server() {
    let ((proxy, proxy_port), (listener, port)) = (listen().await, listen().await);
    let mut desk = Desk::new(through(&format!("http://me:pass@127.0.0.1:{proxy_port}"), port));
    let asked = connect_proxy(&proxy, "HTTP/1.1 200 Connection established\r\n\r\n", port).await;
    assert!(
        asked.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")),
        "the name, not an address: {asked}"
    );
    assert!(asked.contains("Proxy-Authorization: Basic bWU6cGFzcw==\r\n"), "{asked}");
    assert!(!asked.contains("s3cret"), "the channel's credential is not the proxy's");
    let _link = accept(&listener).await;
    desk.connected().await;
}

#[tokio::test]
async fn a_proxy_that_asks_for_credentials_needs_the_user() {
    let (proxy, proxy_port) = listen().await;
    let mut desk = Desk::new(through(&format!("http://127.0.0.1:{proxy_port}"), 1));
    for _ in 0..2 {
        connect_proxy(&proxy, "HTTP/1.1 407 \r\nProxy-Authenticate: Basic\r\n\r\n", 1).await;
    }
    assert_eq!(desk.needs_user().await.to_string(), "the proxy asks for a sign-in (407)");
}

#[tokio::test]
async fn a_socks_proxy_that_wants_a_password_or_another_one_needs_the_user() {
    // None of our methods will do; the password is wrong.
    for (user, replies) in [("", &[&[5, 0xff][..]][..]), ("me:wrong@", &[&[5, 2], &[1, 1]])] {
        let (proxy, proxy_port) = listen().await;
        let mut desk = Desk::new(through(&format!("socks5://{user}127.0.0.1:{proxy_port}"), 1));
        for _ in 0..2 {
            let mut stream = dialled(&proxy).await;
            for reply in replies {
                let _ = stream.read(&mut [0; 600]).await.expect("a message");
                stream.write_all(reply).await.expect("sent");
            }
        }
        assert_eq!(desk.needs_user().await.to_string(), "the proxy asks for a sign-in (407)");
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_is_given_up() {
    for scheme in ["http", "socks5"] {
        let (proxy, proxy_port) = listen().await;
        let mut desk = Desk::new(through(&format!("{scheme}://127.0.0.1:{proxy_port}"), 1));
        let _black_hole = dialled(&proxy).await;
        assert_eq!(desk.trouble().await.0.to_string(), "no way through the proxy: no answer in time");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_refuses_is_told() {
    let (proxy, proxy_port) = listen().await;
    let mut desk = Desk::new(through(&format!("http://127.0.0.1:{proxy_port}"), 1));
    connect_proxy(&proxy, "HTTP/1.1 502 Bad Gateway\r\n\r\n", 1).await;
    assert_eq!(desk.trouble().await.0.to_string(), "no way through the proxy: it refused the tunnel");
    drop(proxy);
    let (cause, _) = Desk::new(through(&format!("socks5://127.0.0.1:{proxy_port}"), 1)).trouble().await;
    assert!(cause.to_string().contains("proxy: server not reachable (connection refused)"), "{cause}");
}

/// Plays a SOCKS5 proxy (RFC 1928, RFC 1929) that wants a password. Returns the host and port asked for.
async fn socks_proxy(proxy: &TcpListener, password: &str, server: u16) -> (String, u16) {
    let mut stream = dialled(proxy).await;
    let greeting = piece(&mut stream, 2).await;
    let methods = piece(&mut stream, greeting[1].into()).await;
    assert_eq!((greeting[0], methods.contains(&2)), (5, true), "a password is offered");
    stream.write_all(&[5, 2]).await.expect("sent");
    let start = piece(&mut stream, 2).await;
    let user = piece(&mut stream, start[1].into()).await;
    let length = piece(&mut stream, 1).await;
    let given = piece(&mut stream, length[0].into()).await;
    assert_eq!((user, given), (b"me".to_vec(), password.as_bytes().to_vec()));
    stream.write_all(&[1, 0]).await.expect("sent");
    let request = piece(&mut stream, 5).await;
    assert_eq!(request[..4], [5, 1, 0, 3], "CONNECT to a name");
    let host = piece(&mut stream, request[4].into()).await;
    let port = piece(&mut stream, 2).await;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await.expect("sent");
    lead(stream, server);
    (String::from_utf8(host).expect("a name"), u16::from_be_bytes([port[0], port[1]]))
}

async fn piece(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut piece = vec![0; length];
    stream.read_exact(&mut piece).await.expect("a whole message");
    piece
}

#[tokio::test]
async fn a_socks_proxy_looks_the_name_up_and_leads_to_the_server() {
    for scheme in ["socks5", "socks5h"] {
        let ((proxy, proxy_port), (listener, port)) = (listen().await, listen().await);
        let address = format!("{scheme}://me:p%40ss@127.0.0.1:{proxy_port}");
        let mut desk = Desk::new(through(&address, port));
        assert_eq!(socks_proxy(&proxy, "p@ss", port).await, ("localhost".to_owned(), port));
        let _link = accept(&listener).await;
        desk.connected().await;
    }
}

/// The certificate is the server's, by its own name: the proxy sees names and sealed bytes, no request and no secret.
#[tokio::test]
async fn a_sealed_link_goes_through_either_kind_of_proxy() {
    let authority = Authority::new();
    for scheme in ["http", "socks5"] {
        let ((proxy, proxy_port), (listener, port)) = (listen().await, listen().await);
        let address = format!("{scheme}://me:pass@127.0.0.1:{proxy_port}");
        let proxy_url = Some(ProxyUrl::parse(&address).expect("a proxy"));
        let config = Config { proxy: proxy_url, ca_pem: Some(authority.pem()), ..config("wss", port) };
        let mut desk = Desk::new(config);
        if scheme == "http" {
            connect_proxy(&proxy, "HTTP/1.1 200 \r\n\r\n", port).await;
        } else {
            socks_proxy(&proxy, "pass", port).await;
        }
        let stream = authority.server("localhost", FAR, false).accept(dialled(&listener).await).await;
        let _link = accept_async(stream.expect("TLS")).await.expect("a good upgrade");
        desk.connected().await;
        let route = desk.status.borrow().route.expect("a link has two ends");
        assert_eq!(route.to.port(), proxy_port, "the way is the one to the proxy");
    }
}
