//! Debian's Apache with mod_auth_openidc, as an instance of its own: never the system's service, on free ports, with
//! its own folder. `tests/parts/apache.sh` installs the program.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::gateway::client;

const MODULES: [&str; 9] = [
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "setenvif",
    "proxy",
    "proxy_uwsgi",
    "ssl",
    "auth_openidc",
];

/// A running Apache; ends when dropped.
pub struct Apache {
    child: Child,
    dir: tempfile::TempDir,
}

impl Apache {
    /// Starts one with these virtual hosts (port and inside), TLS by the certificates in `tls`, and waits until the
    /// first answers. `files` are put into its folder, which `@DIR@` names inside the hosts.
    pub async fn start(hosts: &[(u16, String)], tls: &Path, files: &[(String, Vec<u8>)]) -> Self {
        let program = "/usr/sbin/apache2";
        assert!(
            Path::new(program).exists(),
            "Apache is not installed: run tests/parts/apache.sh"
        );
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let place = root.display().to_string();
        let mut text = format!(
            "ServerRoot /usr/lib/apache2\nDefaultRuntimeDir {place}\nPidFile {place}/pid\nMutex file:{place} default\n\
             ErrorLog {place}/error.log\nLogLevel auth_openidc:debug authz_core:debug\nServerName localhost\nTraceEnable off\n"
        );
        for module in MODULES {
            text.push_str(&format!("LoadModule {module}_module modules/mod_{module}.so\n"));
        }
        // Started by root, its workers are somebody else, as with Debian's own configuration.
        let root_runs = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        if root_runs {
            text.push_str("User www-data\nGroup www-data\n");
            readable(root);
        }
        for (port, inside) in hosts {
            text.push_str(&format!(
                "Listen 127.0.0.1:{port}\n<VirtualHost *:{port}>\nServerName https://localhost:{port}\nSSLEngine on\n\
                 SSLCertificateFile {tls}/localhost.pem\nSSLCertificateKeyFile {tls}/localhost.key\n\
                 {inside}\n</VirtualHost>\n",
                tls = tls.display(),
                inside = inside.replace("@DIR@", &place),
            ));
        }
        fs::write(root.join("apache.conf"), text).unwrap();
        let child = Command::new(program)
            .arg("-f")
            .arg(root.join("apache.conf"))
            .arg("-DFOREGROUND")
            .stdout(Stdio::null())
            .stderr(fs::File::create(root.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut apache = Self { child, dir };
        let client = client(&tls.join("ca.pem"));
        for _ in 0..120 {
            let url = format!("https://localhost:{}/nothing", hosts[0].0);
            if client.get(url).send().await.is_ok() {
                return apache;
            }
            if let Ok(Some(status)) = apache.child.try_wait() {
                panic!("Apache ended at once ({status}): {}", apache.log());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Apache did not answer within 12 seconds: {}", apache.log());
    }

    /// What it said.
    pub fn log(&self) -> String {
        let read = |name| fs::read(self.dir.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("stderr"), read("error.log")].concat()).into_owned()
    }
}

/// Everything below may be read by everybody: it is the folder of one test.
fn readable(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            readable(&path);
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        // SIGTERM lets it end its workers.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
