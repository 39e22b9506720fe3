//! English.

use super::{Text, text};
use crate::domain::fault::Code;

pub(super) static INTERNAL: Text = text(
    Code::Internal,
    "Something went wrong here",
    "Your request could not be completed.",
    "The mistake is ours, not yours.",
    "Try again in a minute. If it happens again, send the reference to your help desk.",
);

#[rustfmt::skip]
pub(super) static TEXTS: [Text; Code::ALL.len()] = [
    text(Code::NoAccess, "No access", "Your organisation confirmed who you are, but you have no access here.", "None of the groups that your organisation sent gives access to this place.", "Ask your organisation for access and quote the reference."),
    text(Code::UnknownOrganisation, "Organisation not found", "There is no sign-in for what you typed.", "The name may be misspelt, or your organisation uses another name here.", "Check the spelling, try your work e-mail address, or use the link your organisation gave you."),
    text(Code::SignInExpired, "Sign-in expired", "This sign-in can no longer be completed.", "Its page was open too long, or it was already used once.", "Start again; you go where you wanted to go."),
    text(Code::SignInMismatch, "Sign-in does not belong here", "The answer of your organisation does not belong to a sign-in of this browser.", "The sign-in was started in another browser or window, or cookies are blocked.", "Start again in this browser. If somebody sent you a link to get here, do not use it."),
    text(Code::BadCredentials, "Not signed in", "User name or password is not right.", "They do not match an account that may sign in here.", "Try again. Capital letters matter in the password."),
    text(Code::TooManyAttempts, "Too many attempts", "There were too many attempts in a short time.", "Attempts are limited so that nobody can guess passwords or codes.", "Wait a few minutes, then try again."),
    text(Code::UpstreamDown, "Your organisation's sign-in does not answer", "The sign-in of your organisation cannot be reached at the moment.", "Its server is down, or the network in between is. People who are already signed in can go on working.", "Try again in a few minutes. If it lasts, tell your organisation's IT."),
    text(Code::UpstreamRefused, "Your organisation refused the sign-in", "Your organisation did not confirm the sign-in.", "You cancelled it, or your account may not be used for this.", "Try again with the right account, or ask your organisation's IT."),
    text(Code::ProofInvalid, "Sign-in could not be verified", "The answer of your organisation did not pass our checks.", "Its signature, its time or its addressee was not right.", "Try again. If it happens again, give the reference to your organisation's IT."),
    text(Code::IssuerUnknown, "Issuer not known", "No sign-in here takes tokens of this issuer.", "The token's issuer is not registered, or its address is spelt differently.", "Compare the issuer letter for letter with what the cloud manager has registered."),
    text(Code::AudMismatch, "Token is for somebody else", "The token was made for another audience.", "A job's token must name this gateway as its audience.", "Ask the CI system for a token with the audience that the answer names."),
    text(Code::ConditionFailed, "Conditions not met", "The token is good, but does not meet the conditions for access here.", "For example it comes from another branch, environment or namespace.", "Run the job where access is allowed, or ask the cloud manager to change the conditions."),
    text(Code::TokenReplayed, "Token already used", "This token was used before.", "A token counts once, so that a copy of it is worth nothing.", "Let the job ask for a new token."),
    text(Code::MappingFailed, "Your account is not complete", "Your organisation confirmed you, but did not send what is needed here.", "A required detail such as the user name is missing or too long.", "Give the reference to your organisation's IT."),
    text(Code::BadRequest, "Request not understood", "The request is not complete or not well-formed.", "A link may have been cut off, or an application sent something wrong.", "Go back to the application and start again."),
    text(Code::BadClient, "Application not accepted", "The application that sent you is not registered here, or not with this return address.", "For your safety nobody is sent to an address that is not registered.", "Tell the people who run the application, and give them the reference."),
    text(Code::DeviceCodeUnknown, "Code not valid", "This code is not valid.", "It is misspelt, was already used, or has expired.", "Check the code on your device, or let the device show a new one."),
    text(Code::FormExpired, "Page expired", "The page you sent was no longer valid.", "It was open too long, or it did not come from this browser.", "Go back, load the page again and repeat the step."),
    text(Code::TokenInvalid, "Token not valid", "The token is not valid.", "It is malformed, expired, revoked, or not from this gateway.", "Get a new token, for example with fedctl login."),
    text(Code::AudienceMismatch, "Token is for another place", "The token was made for another audience.", "A token is good for one place only.", "Ask for a token for this audience."),
    text(Code::SessionEnded, "Signed out", "Your session has ended.", "It reached its time limit, you signed out, or your organisation is not let in here any more.", "Sign in again."),
    text(Code::TargetDown, "Service does not answer", "The service you want to use cannot be reached at the moment.", "It is down, or the network in between is.", "Try again in a few minutes. If it lasts, send the reference to your cloud's help desk."),
    text(Code::TargetRefused, "Service refused", "The service you want to use refused the request.", "Its settings do not fit what this gateway asked of it.", "Send the reference to your cloud's help desk."),
    text(Code::PolicyFailed, "No decision possible", "Whether you have access could not be decided.", "The rules could not be evaluated, so nothing is allowed until they can be.", "Try again in a minute. If it lasts, send the reference to your cloud's help desk."),
    text(Code::StoreDown, "Not available at the moment", "The gateway cannot work at the moment.", "A part it depends on does not answer.", "Try again in a minute."),
    text(Code::NotFound, "Page not found", "There is nothing at this address.", "The link is old or was cut off.", "Start from the first page."),
    text(Code::MethodNotAllowed, "Not possible in this way", "This address cannot be used in this way.", "It expects another kind of request.", "Start from the first page."),
    text(Code::TooLarge, "Request too large", "The request is too large.", "It is longer than anything that is needed here.", "Shorten it and try again."),
    text(Code::AdminOnly, "Administrators only", "The administrator's token is missing or not right.", "This interface is for the operators of this gateway.", "Use the token that the configuration names."),
    INTERNAL,
];
