//! Server-sent events as they come, by hand: a client would wait for the end of the answer.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::TestApp;

const LIMIT: Duration = Duration::from_secs(20);

pub struct Stream(TcpStream);

impl TestApp {
    /// Opens a live stream, after the event of that id if one is named.
    pub async fn follow(&self, path: &str, token: Option<&str>, resume: Option<&str>) -> Stream {
        let host = self.base_url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(host).await.expect("a connection");
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let resume = resume.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{token}{resume}\r\n");
        socket.write_all(request.as_bytes()).await.expect("a request");
        Stream(socket)
    }
}

impl Stream {
    /// What is said from here on until this is.
    pub async fn read_until(&mut self, wanted: &str) -> String {
        let (mut said, mut buffer) = (String::new(), [0_u8; 8192]);
        let reading = async {
            while !said.contains(wanted) {
                let length = self.0.read(&mut buffer).await.expect("a stream");
                assert!(length > 0, "the stream ended after {said}");
                said.push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        };
        let in_time = tokio::time::timeout(LIMIT, reading).await;
        assert!(in_time.is_ok(), "no {wanted} within {LIMIT:?} in {said}");
        said
    }
}
