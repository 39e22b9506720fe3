//! The texts of every problem, English and German: what happened, why, what to do next.

use super::problem::{Local, Network, Problem, SignIn};
use super::terminal::Terminal;
use crate::wire::oidc::IdTokenClaims;

/// Three sentences.
#[derive(Debug)]
pub struct Explained {
    /// What happened.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do next.
    pub next: String,
}

/// In the language of the terminal.
pub fn explain(problem: &Problem, terminal: Terminal) -> Explained {
    match problem {
        Problem::Network(network) => explain_network(network, terminal),
        Problem::SignIn(sign_in) => explain_sign_in(sign_in, terminal),
        Problem::Local(local) => explain_local(local, terminal),
        Problem::Cloud(cloud) => super::openstack::texts::explain(cloud, terminal),
    }
}

pub(super) type Pair = (String, String);

pub(super) fn explained(terminal: Terminal, what: Pair, why: Pair, next: Pair) -> Explained {
    Explained {
        what: terminal.pick(what.0, what.1),
        why: terminal.pick(why.0, why.1),
        next: terminal.pick(next.0, next.1),
    }
}

pub(super) fn pair(english: &str, german: &str) -> Pair {
    (english.to_owned(), german.to_owned())
}

pub(super) fn because(reason: &str) -> Pair {
    (format!("Reason: {reason}"), format!("Grund: {reason}"))
}

fn explain_network(network: &Network, terminal: Terminal) -> Explained {
    let (what, why, next) = match network {
        Network::Unreachable { url, why } => (
            (
                format!("{url} does not answer."),
                format!("{url} antwortet nicht."),
            ),
            because(why),
            pair(
                "Check address, network and --ca, then try again.",
                "Prüfen Sie Adresse, Netz und --ca und versuchen Sie es erneut.",
            ),
        ),
        Network::Refused { about, .. } if !about.reasons.is_empty() => {
            return super::openstack::texts::refused(about, terminal);
        }
        Network::Refused {
            code, description, ..
        } => (
            (
                format!("The gateway refused ({code})."),
                format!("Das Gateway hat abgelehnt ({code})."),
            ),
            because(description),
            pair(
                "If you should have access, give the reference to your help desk.",
                "Wenn Sie Zugriff haben sollten, nennen Sie dem Helpdesk die Referenz.",
            ),
        ),
        Network::Garbage { url, why, .. } => (
            (
                format!("{url} did not answer as a gateway does."),
                format!("{url} hat nicht geantwortet wie ein Gateway."),
            ),
            because(why),
            pair(
                "Check the address; a proxy or another service may have answered.",
                "Prüfen Sie die Adresse; vielleicht hat ein Proxy oder ein anderer Dienst geantwortet.",
            ),
        ),
        Network::WrongIssuer { .. } | Network::NoEndpoint(_) | Network::NotSecure(_) => {
            return explain_address(network, terminal);
        }
    };
    explained(terminal, what, why, next)
}

fn explain_address(network: &Network, terminal: Terminal) -> Explained {
    let (what, why, next) = match network {
        Network::WrongIssuer { asked, told } => (
            (
                format!("{asked} is another gateway."),
                format!("{asked} ist ein anderes Gateway."),
            ),
            (
                format!("It calls itself {told}."),
                format!("Es nennt sich {told}."),
            ),
            pair(
                "Use exactly the address that your provider gave you; even a slash at the end counts.",
                "Nutzen Sie genau die Adresse Ihres Anbieters; auch ein Schrägstrich am Ende zählt.",
            ),
        ),
        Network::NoEndpoint(name) => (
            pair("The gateway cannot do this.", "Das Gateway kann das nicht."),
            (format!("It names no {name}."), format!("Es nennt keinen {name}.")),
            pair(
                "Ask whoever runs the gateway.",
                "Fragen Sie den Betreiber des Gateways.",
            ),
        ),
        Network::NotSecure(url) => (
            (
                format!("{url} is not used."),
                format!("{url} wird nicht benutzt."),
            ),
            pair(
                "Tokens would travel unencrypted: only https is allowed, or http on this machine itself.",
                "Tokens gingen unverschlüsselt übers Netz: nur https ist erlaubt oder http auf diesem Rechner selbst.",
            ),
            pair("Use an https address.", "Nutzen Sie eine https-Adresse."),
        ),
        Network::Unreachable { .. } | Network::Refused { .. } | Network::Garbage { .. } => {
            return explain_network(network, terminal);
        }
    };
    explained(terminal, what, why, next)
}

fn explain_sign_in(sign_in: &SignIn, terminal: Terminal) -> Explained {
    let hint = |issuer: &String| {
        (
            format!("Run: fedctl login --issuer {issuer} (without a browser: --device)"),
            format!("Führen Sie aus: fedctl login --issuer {issuer} (ohne Browser: --device)"),
        )
    };
    let (what, why, next) = match sign_in {
        SignIn::Missing { issuer } => (
            pair("You are not signed in.", "Sie sind nicht angemeldet."),
            (
                format!("There is no session at {issuer} on this machine."),
                format!("Auf diesem Rechner gibt es keine Sitzung bei {issuer}."),
            ),
            hint(issuer),
        ),
        SignIn::Ended { issuer, .. } => (
            pair("Your session has ended.", "Ihre Sitzung ist beendet."),
            (
                format!("{issuer} no longer renews it."),
                format!("{issuer} verlängert sie nicht mehr."),
            ),
            hint(issuer),
        ),
        SignIn::TimedOut => (
            pair(
                "The sign-in was not finished.",
                "Die Anmeldung wurde nicht abgeschlossen.",
            ),
            pair("It took too long.", "Es hat zu lange gedauert."),
            pair("Start again: fedctl login", "Beginnen Sie erneut: fedctl login"),
        ),
        SignIn::Mismatch(check) => (
            pair("The sign-in was stopped.", "Die Anmeldung wurde abgebrochen."),
            (
                format!("The answer does not belong to it (check: {check})."),
                format!("Die Antwort gehört nicht zu ihr (Prüfung: {check})."),
            ),
            pair(
                "Start again: fedctl login. If it happens twice, tell whoever runs the gateway.",
                "Beginnen Sie erneut: fedctl login. Geschieht es wieder, sagen Sie es dem Betreiber des Gateways.",
            ),
        ),
    };
    explained(terminal, what, why, next)
}

fn explain_local(local: &Local, terminal: Terminal) -> Explained {
    match local {
        Local::CacheOpen { .. } | Local::CacheLink(_) | Local::File { .. } => explain_file(local, terminal),
        Local::ExecInfo(_) | Local::PlainServer { .. } | Local::NoCluster(_) => explain_kube(local, terminal),
        Local::NoIssuer => explained(
            terminal,
            pair("No gateway is named.", "Es ist kein Gateway angegeben."),
            pair(
                "fedctl must know where to sign in.",
                "fedctl muss wissen, wo es sich anmelden soll.",
            ),
            pair(
                "Give --issuer URL or set FEDGATE_ISSUER.",
                "Geben Sie --issuer URL an oder setzen Sie FEDGATE_ISSUER.",
            ),
        ),
        Local::Runtime(why) => explained(
            terminal,
            pair("fedctl cannot work here.", "fedctl kann hier nicht arbeiten."),
            because(why),
            pair("Tell your help desk.", "Sagen Sie es dem Helpdesk."),
        ),
    }
}

fn explain_file(local: &Local, terminal: Terminal) -> Explained {
    let Local::CacheOpen { path, mode } = local else {
        let text = local.to_string();
        let linked = matches!(local, Local::CacheLink(_));
        let next = if linked {
            pair(
                "Remove it and sign in again; a link could lead your tokens to somebody else.",
                "Löschen Sie sie und melden Sie sich neu an; ein Link könnte Ihre Tokens zu anderen führen.",
            )
        } else {
            pair(
                "Check the path and its permissions.",
                "Prüfen Sie den Pfad und seine Rechte.",
            )
        };
        let what = pair("A file cannot be used.", "Eine Datei lässt sich nicht benutzen.");
        return explained(terminal, what, because(&text), next);
    };
    explained(
        terminal,
        (
            format!("{path} is not used."),
            format!("{path} wird nicht benutzt."),
        ),
        (
            format!("Others can get at it (mode {mode:04o}), so its tokens may be known to them."),
            format!("Andere kommen heran (Rechte {mode:04o}), die Tokens darin können ihnen bekannt sein."),
        ),
        (
            format!(
                "Run: chmod go-rwx {path}; if you did not open it yourself: fedctl logout, then fedctl login."
            ),
            format!(
                "Führen Sie aus: chmod go-rwx {path}; wenn Sie das nicht selbst waren: fedctl logout, dann fedctl login."
            ),
        ),
    )
}

fn explain_kube(local: &Local, terminal: Terminal) -> Explained {
    let next = match local {
        Local::PlainServer { .. } => pair(
            "kubectl sends no credentials over http. Ask whoever runs the gateway to name an https address.",
            "kubectl schickt über http keine Anmeldedaten. Bitten Sie den Betreiber des Gateways um eine https-Adresse.",
        ),
        Local::NoCluster(_) => pair(
            "fedctl kube config without --cluster lists yours.",
            "fedctl kube config ohne --cluster zeigt Ihre Cluster.",
        ),
        Local::ExecInfo(_)
        | Local::NoIssuer
        | Local::CacheOpen { .. }
        | Local::CacheLink(_)
        | Local::File { .. }
        | Local::Runtime(_) => pair(
            "Write the kubeconfig with: fedctl kube config",
            "Schreiben Sie die kubeconfig mit: fedctl kube config",
        ),
    };
    let what = pair(
        "This cluster cannot be used so.",
        "Dieser Cluster ist so nicht nutzbar.",
    );
    explained(terminal, what, because(&local.to_string()), next)
}

/// What the browser shows at the end. Nothing is loaded from anywhere.
pub fn result_page(terminal: Terminal, outcome: &Result<IdTokenClaims, Problem>) -> String {
    let (title, text) = match outcome {
        Ok(claims) => {
            let name = claims.person.preferred_username.as_ref().unwrap_or(&claims.sub);
            (
                terminal.pick("You are signed in", "Sie sind angemeldet"),
                terminal.pick(
                    format!("As {name}. You can close this window and go back to the terminal."),
                    format!("Als {name}. Sie können dieses Fenster schließen und ins Terminal zurückkehren."),
                ),
            )
        }
        Err(problem) => {
            let told = explain(problem, terminal);
            let reference = problem
                .reference()
                .map(|id| format!(" ({id})"))
                .unwrap_or_default();
            (told.what, format!("{} {}{reference}", told.why, told.next))
        }
    };
    let (language, title, text) = (terminal.pick("en", "de"), escaped(&title), escaped(&text));
    format!(
        "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>:root{{color-scheme:light dark}}\
         body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem}}\
         h1{{font-size:1.6rem}}</style><main><h1>{title}</h1><p>{text}</p></main></html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
