//! A cable between a service and its database or its broker that a test can pull, and one that is slow.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub struct Proxy {
    address: SocketAddr,
    target: String,
    pause: Duration,
    tasks: TaskTracker,
    up: CancellationToken,
    frozen: watch::Sender<()>,
}

impl Proxy {
    /// Listens in front of `target`, which is `host:port`; whatever that says arrives by `pause` later.
    async fn start(target: &str, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let proxy = Self {
            address,
            target: target.to_owned(),
            pause,
            tasks: TaskTracker::new(),
            up: CancellationToken::new(),
            frozen: watch::Sender::default(),
        };
        proxy.serve(listener);
        proxy
    }

    /// The same URL, through the proxy.
    pub async fn before(url: &str) -> (Self, String) {
        Self::slow_before(url, Duration::ZERO).await
    }

    /// As [`Proxy::before`], but slow.
    pub async fn slow_before(url: &str, pause: Duration) -> (Self, String) {
        let (credentials, rest) = url.rsplit_once('@').expect("a URL with credentials");
        let (target, database) = rest.split_once('/').expect("a URL with a database");
        let proxy = Self::start(target, pause).await;
        let through = format!("{credentials}@{}/{database}", proxy.address);
        (proxy, through)
    }

    /// Drops every connection and refuses new ones.
    pub async fn cut(&mut self) {
        self.up.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// From now on nothing goes through the connections that there are, as when a machine loses its power; new ones are
    /// served.
    pub fn freeze(&self) {
        self.frozen.send_replace(());
    }

    pub async fn restore(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its old port");
        self.tasks = TaskTracker::new();
        self.up = CancellationToken::new();
        self.serve(listener);
    }

    fn serve(&self, listener: TcpListener) {
        let (target, tasks, up) = (self.target.clone(), self.tasks.clone(), self.up.clone());
        let (frozen, pause) = (self.frozen.clone(), self.pause);
        self.tasks.spawn(async move {
            while let Some(Ok((client, _))) = up.run_until_cancelled(listener.accept()).await {
                tasks.spawn(carry(client, target.clone(), pause, up.clone(), frozen.subscribe()));
            }
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.up.cancel();
    }
}

async fn carry(
    mut client: TcpStream,
    target: String,
    pause: Duration,
    up: CancellationToken,
    mut frozen: watch::Receiver<()>,
) {
    let carrying = async {
        let mut server = TcpStream::connect(&target).await?;
        let (mut heard, answers) = client.split();
        let (said, mut questions) = server.split();
        let there = async {
            copy(&mut heard, &mut questions).await?;
            questions.shutdown().await
        };
        tokio::select! {
            outcome = async { tokio::try_join!(there, back(said, answers, pause)) } => outcome.map(drop),
            _ = frozen.changed() => {
                // Both ends stay open, and neither hears of the other.
                up.cancelled().await;
                Ok(())
            }
        }
    };
    // Broken connections are what this is for.
    drop(up.run_until_cancelled(carrying).await);
}

async fn back(mut said: ReadHalf<'_>, mut answers: WriteHalf<'_>, pause: Duration) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = said.read(&mut buffer).await?;
        if length == 0 {
            return answers.shutdown().await;
        }
        tokio::time::sleep(pause).await;
        answers.write_all(&buffer[..length]).await?;
    }
}
