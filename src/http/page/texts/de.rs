//! German.

use super::{Text, text};
use crate::domain::fault::Code;

pub(super) static INTERNAL: Text = text(
    Code::Internal,
    "Hier ist etwas schiefgegangen",
    "Ihre Anfrage konnte nicht ausgeführt werden.",
    "Der Fehler liegt bei uns, nicht bei Ihnen.",
    "Versuchen Sie es in einer Minute noch einmal. Passiert es wieder, nennen Sie dem Helpdesk die Referenz.",
);

#[rustfmt::skip]
pub(super) static TEXTS: [Text; Code::ALL.len()] = [
    text(Code::NoAccess, "Kein Zugang", "Ihre Organisation hat Sie bestätigt, Sie haben hier aber keinen Zugang.", "Keine der Gruppen, die Ihre Organisation übermittelt hat, berechtigt hier zum Zugang.", "Bitten Sie Ihre Organisation um Zugang und nennen Sie die Referenz."),
    text(Code::UnknownOrganisation, "Organisation nicht gefunden", "Zu Ihrer Eingabe gibt es keine Anmeldung.", "Vielleicht ist der Name falsch geschrieben, oder Ihre Organisation heißt hier anders.", "Prüfen Sie die Schreibweise, versuchen Sie Ihre dienstliche E-Mail-Adresse, oder nutzen Sie den Link Ihrer Organisation."),
    text(Code::SignInExpired, "Anmeldung abgelaufen", "Diese Anmeldung kann nicht mehr abgeschlossen werden.", "Die Seite war zu lange offen, oder die Anmeldung wurde schon einmal benutzt.", "Beginnen Sie neu; danach kommen Sie dorthin, wohin Sie wollten."),
    text(Code::SignInMismatch, "Anmeldung gehört nicht hierher", "Die Antwort Ihrer Organisation gehört zu keiner Anmeldung in diesem Browser.", "Die Anmeldung begann in einem anderen Browser oder Fenster, oder Cookies sind blockiert.", "Beginnen Sie in diesem Browser neu. Hat Ihnen jemand einen Link hierher geschickt, benutzen Sie ihn nicht."),
    text(Code::BadCredentials, "Nicht angemeldet", "Benutzername oder Passwort stimmt nicht.", "Sie passen zu keinem Konto, das sich hier anmelden darf.", "Versuchen Sie es noch einmal. Beim Passwort zählen Groß- und Kleinbuchstaben."),
    text(Code::TooManyAttempts, "Zu viele Versuche", "Es gab zu viele Versuche in kurzer Zeit.", "Versuche sind begrenzt, damit niemand Passwörter oder Codes erraten kann.", "Warten Sie einige Minuten und versuchen Sie es dann noch einmal."),
    text(Code::UpstreamDown, "Die Anmeldung Ihrer Organisation antwortet nicht", "Die Anmeldung Ihrer Organisation ist zurzeit nicht erreichbar.", "Ihr Server oder das Netz dazwischen ist gestört. Wer schon angemeldet ist, kann weiterarbeiten.", "Versuchen Sie es in einigen Minuten noch einmal. Hält es an, sagen Sie der IT Ihrer Organisation Bescheid."),
    text(Code::UpstreamRefused, "Ihre Organisation hat die Anmeldung abgelehnt", "Ihre Organisation hat die Anmeldung nicht bestätigt.", "Sie haben abgebrochen, oder Ihr Konto darf hierfür nicht benutzt werden.", "Versuchen Sie es mit dem richtigen Konto noch einmal, oder fragen Sie die IT Ihrer Organisation."),
    text(Code::ProofInvalid, "Anmeldung nicht überprüfbar", "Die Antwort Ihrer Organisation hat unsere Prüfungen nicht bestanden.", "Unterschrift, Zeit oder Empfänger stimmte nicht.", "Versuchen Sie es noch einmal. Passiert es wieder, nennen Sie der IT Ihrer Organisation die Referenz."),
    text(Code::IssuerUnknown, "Aussteller unbekannt", "Keine Anmeldung hier nimmt Tokens dieses Ausstellers an.", "Der Aussteller des Tokens ist nicht eingetragen, oder seine Adresse ist anders geschrieben.", "Vergleichen Sie den Aussteller Zeichen für Zeichen mit dem, was die Cloud-Verwaltung eingetragen hat."),
    text(Code::AudMismatch, "Token ist für jemand anderen", "Das Token wurde für einen anderen Empfänger ausgestellt.", "Das Token eines Jobs muss dieses Gateway als Empfänger nennen.", "Lassen Sie das CI-System ein Token mit dem Empfänger ausstellen, den die Antwort nennt."),
    text(Code::ConditionFailed, "Bedingungen nicht erfüllt", "Das Token ist gültig, erfüllt aber nicht die Bedingungen für den Zugang hier.", "Es kommt zum Beispiel aus einem anderen Branch, einer anderen Umgebung oder einem anderen Namespace.", "Starten Sie den Job dort, wo Zugang erlaubt ist, oder bitten Sie die Cloud-Verwaltung, die Bedingungen zu ändern."),
    text(Code::TokenReplayed, "Token schon benutzt", "Dieses Token wurde schon einmal benutzt.", "Ein Token zählt einmal, damit eine Kopie davon nichts wert ist.", "Lassen Sie den Job ein neues Token holen."),
    text(Code::MappingFailed, "Ihr Konto ist unvollständig", "Ihre Organisation hat Sie bestätigt, aber nicht alles Nötige übermittelt.", "Eine nötige Angabe wie der Benutzername fehlt oder ist zu lang.", "Nennen Sie der IT Ihrer Organisation die Referenz."),
    text(Code::BadRequest, "Anfrage nicht verstanden", "Die Anfrage ist unvollständig oder fehlerhaft.", "Vielleicht wurde ein Link abgeschnitten, oder eine Anwendung hat etwas Falsches gesendet.", "Gehen Sie zurück zur Anwendung und beginnen Sie neu."),
    text(Code::BadClient, "Anwendung nicht zugelassen", "Die Anwendung, die Sie hierher geschickt hat, ist hier nicht oder nicht mit dieser Rücksprungadresse eingetragen.", "Zu Ihrer Sicherheit wird niemand an eine nicht eingetragene Adresse geschickt.", "Sagen Sie den Betreibern der Anwendung Bescheid und nennen Sie die Referenz."),
    text(Code::DeviceCodeUnknown, "Code ungültig", "Dieser Code ist nicht gültig.", "Er ist falsch geschrieben, schon benutzt oder abgelaufen.", "Prüfen Sie den Code auf Ihrem Gerät, oder lassen Sie sich dort einen neuen anzeigen."),
    text(Code::FormExpired, "Seite abgelaufen", "Die abgeschickte Seite war nicht mehr gültig.", "Sie war zu lange offen, oder sie kam nicht aus diesem Browser.", "Gehen Sie zurück, laden Sie die Seite neu und wiederholen Sie den Schritt."),
    text(Code::TokenInvalid, "Token ungültig", "Das Token ist nicht gültig.", "Es ist fehlerhaft, abgelaufen, widerrufen oder nicht von diesem Gateway.", "Holen Sie ein neues Token, zum Beispiel mit fedctl login."),
    text(Code::AudienceMismatch, "Token gilt woanders", "Das Token wurde für einen anderen Empfänger gemacht.", "Ein Token gilt nur an einem Ort.", "Holen Sie ein Token für diesen Empfänger."),
    text(Code::SessionEnded, "Abgemeldet", "Ihre Sitzung ist beendet.", "Ihre Zeit ist abgelaufen, Sie haben sich abgemeldet, oder Ihre Organisation hat hier keinen Zugang mehr.", "Melden Sie sich neu an."),
    text(Code::TargetDown, "Dienst antwortet nicht", "Der gewünschte Dienst ist zurzeit nicht erreichbar.", "Er oder das Netz dazwischen ist gestört.", "Versuchen Sie es in einigen Minuten noch einmal. Hält es an, nennen Sie dem Helpdesk Ihrer Cloud die Referenz."),
    text(Code::TargetRefused, "Dienst hat abgelehnt", "Der gewünschte Dienst hat die Anfrage abgelehnt.", "Seine Einstellungen passen nicht zu dem, was dieses Gateway von ihm verlangt.", "Nennen Sie dem Helpdesk Ihrer Cloud die Referenz."),
    text(Code::PolicyFailed, "Keine Entscheidung möglich", "Ob Sie Zugang haben, konnte nicht entschieden werden.", "Die Regeln konnten nicht ausgewertet werden; bis dahin ist nichts erlaubt.", "Versuchen Sie es in einer Minute noch einmal. Hält es an, nennen Sie dem Helpdesk Ihrer Cloud die Referenz."),
    text(Code::StoreDown, "Zurzeit nicht verfügbar", "Das Gateway kann zurzeit nicht arbeiten.", "Ein Teil, den es braucht, antwortet nicht.", "Versuchen Sie es in einer Minute noch einmal."),
    text(Code::NotFound, "Seite nicht gefunden", "Unter dieser Adresse gibt es nichts.", "Der Link ist alt oder wurde abgeschnitten.", "Beginnen Sie auf der ersten Seite."),
    text(Code::MethodNotAllowed, "So nicht möglich", "Diese Adresse kann so nicht benutzt werden.", "Sie erwartet eine andere Art von Anfrage.", "Beginnen Sie auf der ersten Seite."),
    text(Code::TooLarge, "Anfrage zu groß", "Die Anfrage ist zu groß.", "Sie ist länger als alles, was hier gebraucht wird.", "Kürzen Sie sie und versuchen Sie es noch einmal."),
    text(Code::AdminOnly, "Nur für Administratoren", "Das Token des Administrators fehlt oder stimmt nicht.", "Diese Schnittstelle ist für die Betreiber dieses Gateways.", "Benutzen Sie das Token, das die Konfiguration nennt."),
    INTERNAL,
];
