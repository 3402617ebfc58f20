//! `quenty certs`: a private authority of the platform, and a certificate for each of its processes.

use std::{
    fs::{self, DirBuilder},
    io,
    net::IpAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use anyhow::{Context, Result, bail, ensure};
use jiff::{Span, ToSpan, tz::TimeZone};
use quenty_kernel::clock::wall_now;
use quenty_servers::files;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use crate::{
    output::{quoted, say},
    services,
};

const AUTHORITY: &str = "ca";
const AUTHORITY_YEARS: i32 = 10;
/// Renewing is one command, and what is done once a year is not forgotten how to do.
const CERTIFICATE_DAYS: i32 = 365;
/// Who else shows one: the gateway, and people with `quenty doctor`.
const OTHERS: [&str; 2] = ["gateway", "operator"];

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Make an authority and a certificate for every service, the gateway and the operator; overwrites nothing
    Init(Args),
    /// Make new certificates and keys by the authority that is there
    Renew(Args),
}

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The folder of all of them
    #[arg(long, value_name = "DIR", default_value = "certs")]
    out: PathBuf,
    /// By what a process is reached beside its own name, `quenty-` and that name, and loopback
    #[arg(long = "name", value_name = "PROCESS=HOST,…")]
    names: Vec<Names>,
    /// For these, too: who scrapes metrics, for example
    also: Vec<String>,
}

/// Names and addresses of one process.
#[derive(Debug, Clone)]
struct Names {
    process: String,
    hosts: Vec<String>,
}

impl FromStr for Names {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (process, hosts) = text.split_once('=').ok_or("say it as order=order.internal,10.0.0.7")?;
        Ok(Self { process: process.to_owned(), hosts: hosts.split(',').map(str::to_owned).collect() })
    }
}

pub fn run(command: &Command) -> Result<ExitCode> {
    let (Command::Init(args) | Command::Renew(args)) = command;
    let count = make(command)?;
    let folder = args.out.display();
    let authority = quoted(format!("{folder}/{AUTHORITY}.pem"));
    say!("{folder} has certificates of {count} processes, for {CERTIFICATE_DAYS} days")?;
    say!("each process gets QUENTY_SERVICE_CA_FILE={authority}, its own .pem and its own .key;")?;
    say!("{folder}/{AUTHORITY}.key makes more of them: keep it where no process runs")?;
    Ok(ExitCode::SUCCESS)
}

/// Certificates for the processes of a platform on this machine, in place of those that it had, by an authority that
/// signs no others: its key is never written down.
///
/// # Errors
/// When the folder cannot be written, or has the key of an authority, which somebody has put there.
pub fn make_for_one_run(folder: &Path) -> Result<()> {
    let theirs = folder.join(format!("{AUTHORITY}.key"));
    ensure!(
        !theirs.exists(),
        "{} is the key of an authority, and the certificates beside it are made anew at each start, by another one: move it \
         away, or remove it if nobody has put it there (versions of before left theirs when they were killed in the middle of a start)",
        theirs.display()
    );
    make_folder(folder)?;
    let key = KeyPair::generate()?;
    replace(&folder.join(format!("{AUTHORITY}.pem")), &certificate_of(&key)?, 0o644)?;
    let issuer = Issuer::new(authority(), key);
    processes().into_iter().try_for_each(|process| {
        write_pair(folder, process, &sign(&issuer, process, std::iter::empty())?, replace)
    })
}

/// The settings by which a process shows its certificate of this folder.
pub fn settings(folder: &Path, process: &str) -> [(&'static str, String); 3] {
    let file = |name: &str| folder.join(name).display().to_string();
    [
        ("QUENTY_SERVICE_CA_FILE", file(&format!("{AUTHORITY}.pem"))),
        ("QUENTY_SERVICE_CERTIFICATE_FILE", file(&format!("{process}.pem"))),
        ("QUENTY_SERVICE_KEY_FILE", file(&format!("{process}.key"))),
    ]
}

/// For how many processes it made some.
fn make(command: &Command) -> Result<usize> {
    let (Command::Init(args) | Command::Renew(args)) = command;
    let mut processes: Vec<&str> = processes();
    processes.extend(args.also.iter().map(String::as_str));
    if let Some(unknown) = args.names.iter().find(|names| !processes.contains(&names.process.as_str())) {
        bail!("there is no process {}; there are {}", unknown.process, processes.join(", "));
    }
    let issuer = match command {
        Command::Init(_) => make_authority(&args.out)?,
        Command::Renew(_) => read_authority(&args.out)?,
    };
    for process in &processes {
        let hosts = args.names.iter().filter(|names| names.process == *process);
        let signed = sign(&issuer, process, hosts.flat_map(|names| &names.hosts))?;
        let write = if matches!(command, Command::Init(_)) { create } else { replace };
        write_pair(&args.out, process, &signed, write)?;
    }
    Ok(processes.len())
}

/// Who shows one in any case.
fn processes() -> Vec<&'static str> {
    services::names().into_iter().chain(OTHERS).collect()
}

fn write_pair(
    folder: &Path,
    process: &str,
    (certificate, key): &(String, String),
    write: fn(&Path, &str, u32) -> Result<()>,
) -> Result<()> {
    write(&folder.join(format!("{process}.key")), key, 0o600)?;
    write(&folder.join(format!("{process}.pem")), certificate, 0o644)
}

/// The same whenever it is asked: what it has signed is signed by whoever has its key and this name.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "Quenty, private authority");
    params
}

fn make_folder(folder: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make {}", folder.display()))
}

fn make_authority(folder: &Path) -> Result<Issuer<'static, KeyPair>> {
    make_folder(folder)?;
    let certificate = folder.join(format!("{AUTHORITY}.pem"));
    // Its key may be kept elsewhere: another one has no place beside it.
    ensure!(!certificate.exists(), refusal(&certificate));
    let key = KeyPair::generate()?;
    create(&folder.join(format!("{AUTHORITY}.key")), &key.serialize_pem(), 0o600)?;
    create(&certificate, &certificate_of(&key)?, 0o644)?;
    Ok(Issuer::new(authority(), key))
}

fn certificate_of(key: &KeyPair) -> Result<String> {
    let mut params = authority();
    valid_for(&mut params, AUTHORITY_YEARS.years())?;
    Ok(params.self_signed(key)?.pem())
}

fn read_authority(folder: &Path) -> Result<Issuer<'static, KeyPair>> {
    let path = folder.join(format!("{AUTHORITY}.key"));
    let key = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}: `quenty certs init` makes it", path.display()))?;
    let key = KeyPair::from_pem(&key).with_context(|| format!("{} is damaged", path.display()))?;
    let certificate = folder.join(format!("{AUTHORITY}.pem"));
    // Who made the key may have been killed then.
    if !certificate.exists() {
        create(&certificate, &certificate_of(&key)?, 0o644)?;
    }
    Ok(Issuer::new(authority(), key))
}

/// A certificate and its key, in PEM.
fn sign<'a>(
    issuer: &Issuer<'_, KeyPair>,
    process: &str,
    hosts: impl Iterator<Item = &'a String>,
) -> Result<(String, String)> {
    let own = [process.to_owned(), format!("quenty-{process}"), "localhost".to_owned()];
    let loopback = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
    let names: Vec<String> =
        own.into_iter().chain(loopback.map(|address| address.to_string())).chain(hosts.cloned()).collect();
    let mut params = CertificateParams::new(names)
        .with_context(|| format!("a name of {process} is neither a host nor an address"))?;
    params.distinguished_name.push(DnType::CommonName, process);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    valid_for(&mut params, CERTIFICATE_DAYS.days())?;
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?.pem(), key.serialize_pem()))
}

/// From yesterday on, because clocks differ.
fn valid_for(params: &mut CertificateParams, span: Span) -> Result<()> {
    let begin = wall_now().to_zoned(TimeZone::UTC).date().yesterday()?;
    let end = begin.checked_add(span)?;
    let [begin, end] = [begin, end].map(|date| (i32::from(date.year()), date.month(), date.day()));
    params.not_before = date_time_ymd(begin.0, begin.1.try_into()?, begin.2.try_into()?);
    params.not_after = date_time_ymd(end.0, end.1.try_into()?, end.2.try_into()?);
    Ok(())
}

fn create(path: &Path, text: &str, mode: u32) -> Result<()> {
    files::create(path, text.as_bytes(), mode).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => anyhow::Error::msg(refusal(path)),
        _ => anyhow::Error::new(error).context(format!("cannot make {}", path.display())),
    })
}

fn refusal(path: &Path) -> String {
    format!(
        "cannot make {}: nothing is overwritten; `quenty certs renew` replaces certificates",
        path.display()
    )
}

fn replace(path: &Path, text: &str, mode: u32) -> Result<()> {
    files::replace(path, text.as_bytes(), mode).with_context(|| format!("cannot replace {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use quenty_platform::{client::Transport, settings::Settings, tls};

    use super::*;

    fn args(out: &Path, names: &[&str]) -> Args {
        let names = names.iter().map(|text| text.parse().unwrap()).collect();
        Args { out: out.to_owned(), names, also: vec!["prometheus".to_owned()] }
    }

    #[test]
    fn certificates_are_made_once_renewed_by_their_authority_and_keys_are_for_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("certs");
        run(&Command::Init(args(&out, &["order=order.internal,10.0.0.7"]))).unwrap();
        let file = |name: &str| out.join(name).display().to_string();
        for process in ["auth", "order", "gateway", "operator", "prometheus"] {
            let mode = fs::metadata(file(&format!("{process}.key"))).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{process}");
            let environment = settings(&out, process).map(|(name, value)| (name.to_owned(), value));
            let settings =
                Settings::load(&[quenty_platform::settings::CHASSIS], None, environment.into_iter());
            assert!(Transport::from_settings(&settings.unwrap()).is_ok(), "{process}");
        }
        let before = tls::certificates(&file("order.pem")).unwrap();
        let again = run(&Command::Init(args(&out, &[]))).unwrap_err();
        assert!(format!("{again:#}").contains("nothing is overwritten"), "{again:#}");
        assert_eq!(tls::certificates(&file("order.pem")).unwrap(), before);
        run(&Command::Renew(args(&out, &[]))).unwrap();
        assert_ne!(tls::certificates(&file("order.pem")).unwrap(), before);
        assert!(run(&Command::Renew(args(folder.path(), &[]))).is_err(), "there is no authority");
        fs::remove_file(file("ca.pem")).unwrap();
        let again = run(&Command::Init(args(&out, &[]))).unwrap_err();
        assert!(format!("{again:#}").contains("nothing is overwritten"), "{again:#}");
        run(&Command::Renew(args(&out, &[]))).unwrap();
        let environment = settings(&out, "order").map(|(name, value)| (name.to_owned(), value));
        let whole = Settings::load(&[quenty_platform::settings::CHASSIS], None, environment.into_iter());
        assert!(
            Transport::from_settings(&whole.unwrap()).is_ok(),
            "who was killed before it was made renews"
        );
        let (key, certificate) = (fs::read(file("ca.key")).unwrap(), fs::read(file("ca.pem")).unwrap());
        let refused = make_for_one_run(&out).unwrap_err().to_string();
        assert!(refused.contains("ca.key is the key of an authority"), "{refused}");
        assert!(refused.contains("move it away, or remove it if"), "{refused}");
        assert_eq!(
            (fs::read(file("ca.key")).unwrap(), fs::read(file("ca.pem")).unwrap()),
            (key, certificate)
        );
        fs::remove_file(file("ca.key")).unwrap();
        fs::write(file("notes"), "of a person").unwrap();
        let before = tls::certificates(&file("order.pem")).unwrap();
        make_for_one_run(&out).unwrap();
        assert_ne!(tls::certificates(&file("order.pem")).unwrap(), before);
        let environment = settings(&out, "order").map(|(name, value)| (name.to_owned(), value));
        let whole = Settings::load(&[quenty_platform::settings::CHASSIS], None, environment.into_iter());
        assert!(Transport::from_settings(&whole.unwrap()).is_ok(), "they belong together");
        assert!(fs::exists(file("notes")).unwrap() && !fs::exists(file("ca.key")).unwrap());
        assert!(run(&Command::Init(args(&out, &[]))).is_err(), "that authority is not replaced, either");
        assert!(run(&Command::Renew(args(&out, &[]))).is_err(), "that authority signs no more");
        assert!(run(&Command::Init(args(&folder.path().join("other"), &["nobody=x"]))).is_err());
        let nowhere = Args { also: vec!["no/where".to_owned()], ..args(&folder.path().join("other"), &[]) };
        let failed = run(&Command::Init(nowhere)).unwrap_err();
        assert!(!format!("{failed:#}").contains("overwritten"), "{failed:#}");
    }
}
