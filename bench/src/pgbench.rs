//! The baseline of placing an order: `pgbench` with the plain statements of `bench/pgbench/`, on the server of
//! the platform and with its settings, in a database of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{
    harness::{Up, up::text},
    load::Round,
    samples::Samples,
};

const DATABASE: &str = "pgbench";

pub struct Pgbench {
    bin: PathBuf,
    port: String,
    password: String,
    logs: PathBuf,
    products: usize,
}

impl Pgbench {
    /// Makes the database and fills it with as many products as the platform has.
    pub fn prepare(up: &Up, products: usize) -> Result<Self> {
        let data = &up.ready.data;
        let password = data.join("postgres/superuser.password");
        let password =
            fs::read_to_string(&password).with_context(|| format!("cannot read {}", password.display()))?;
        let order = up.stage.databases.get("order").context("the platform names no database of Order")?;
        let pgbench = Self {
            bin: newest_installation()?,
            port: port_of(order)?.to_owned(),
            password: password.trim().to_owned(),
            logs: up.folder.path().join("pgbench"),
            products,
        };
        fs::create_dir(&pgbench.logs)?;
        succeed(pgbench.program("createdb").arg(DATABASE))?;
        let mut psql = pgbench.program("psql");
        psql.args(["--quiet", "--set", "ON_ERROR_STOP=1", "--set", &format!("products={products}")]);
        succeed(psql.arg("--file").arg(script("schema.sql")).arg(DATABASE))?;
        Ok(pgbench)
    }

    /// One round; each transaction is one order.
    pub fn run(&self, connections: usize, lasts: Duration) -> Result<Round> {
        let mut command = self.program("pgbench");
        command.args(["--no-vacuum", "--protocol", "prepared", "--jobs", "2"]);
        command.args(["--client", &connections.to_string(), "--time", &lasts.as_secs().to_string()]);
        command.args(["--define", &format!("third={}", self.products / 3), "--log"]);
        command.arg("--log-prefix").arg(self.logs.join("round"));
        command.arg("--file").arg(script("place_order.sql"));
        let told = succeed(command.arg(DATABASE))?;
        let answered = self.take_logs()?;
        // By its own clock: without the time that it needed to connect.
        let elapsed = Duration::from_secs_f64(answered.len() as f64 / transactions_per_second(&told)?);
        Ok(Round { answered, elapsed })
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.args(["--host", "127.0.0.1", "--port", &self.port, "--username", "postgres"]);
        command.env("PGPASSWORD", &self.password);
        command
    }

    /// Reads what each transaction took and removes the files, so that the next round begins afresh.
    fn take_logs(&self) -> Result<Samples> {
        let mut samples = Samples::default();
        for file in fs::read_dir(&self.logs)? {
            let path = file?.path();
            for line in fs::read_to_string(&path)?.lines() {
                let microseconds = line.split(' ').nth(2).context("pgbench wrote a line without a time")?;
                samples.add(Duration::from_micros(microseconds.parse()?));
            }
            fs::remove_file(path)?;
        }
        Ok(samples)
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pgbench").join(name)
}

/// `postgres://role:password@host:port/database`.
fn port_of(url: &str) -> Result<&str> {
    let address = url.rsplit_once('@').and_then(|(_, host)| host.split_once('/')).map(|(address, _)| address);
    address
        .and_then(|address| address.rsplit_once(':'))
        .map(|(_, port)| port)
        .context("a database URL names no port")
}

/// Where Debian and its kin install the programs of PostgreSQL.
fn newest_installation() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is not installed; run scripts/ensure-packages")?;
    let found = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("pgbench").exists());
    found.max().context("pgbench is not installed; it comes with the package postgresql")
}

fn transactions_per_second(told: &str) -> Result<f64> {
    let tps = told.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench tells no tps")?;
    Ok(tps.split(' ').next().unwrap_or_default().parse()?)
}

/// What it printed.
fn succeed(command: &mut Command) -> Result<String> {
    let program = text(Path::new(command.get_program())).to_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
