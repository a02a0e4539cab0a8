//! `/plugins`: the list, the upload, and one component with its approval.

use actix_multipart::Multipart;
use actix_session::Session;
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Bytes},
};
use cofferdam_model::{ComponentHash, Grants, Roles};
use cofferdam_views::{
    FieldErrors, Nav, NoticeKind,
    pages::{
        plugin::{self as one, ApproveForm, Before, ImportItem, PluginPage},
        plugin_revoke::{self, PluginRevokePage},
        plugins::{self as view, About, Asks, PluginItem, PluginProblem, PluginState, PluginsPage},
    },
};
use futures_util::StreamExt as _;

use super::{
    common::{form_errors, refusal},
    sign_in::Empty,
};
use crate::{
    app::App,
    dto,
    http::{
        chrome::{self, html, html_with, see_other},
        csrf::{self, CheckedForm, Pairs, upload_in_time},
        guard::Caller,
        session,
    },
    plugins::FILE_MAX,
    service::{Error, Result, deliveries, destinations, plugins},
};

/// How many deliveries of each destination are looked through for problems.
const LOOKED_AT: u32 = 10;
/// How many problems a page shows.
const PROBLEMS_MAX: usize = 5;

/// What a component says of itself, in the words of the views.
pub fn about(about: &dto::PluginAbout) -> About {
    let is = |words: &[String], word: &str| words.iter().any(|it| it == word);
    About {
        name: about.name.clone(),
        version: about.version.clone(),
        summary: about.summary.clone(),
        author: about.author.clone(),
        homepage: about.homepage.clone(),
        roles: Roles {
            storage: is(&about.roles, "storage"),
            notifier: is(&about.roles, "notifier"),
            retention: is(&about.roles, "retention"),
        },
        asks: Asks {
            network: is(&about.asks, "network"),
            folder: is(&about.asks, "folder"),
            mail: is(&about.asks, "mail"),
        },
    }
}

fn item(plugin: &dto::Plugin, problem: Option<PluginProblem>) -> PluginItem {
    let reason = plugin.reason.clone();
    let refused = plugin.state == dto::PluginState::Refused;
    PluginItem {
        hash: hash(plugin),
        file: plugin.file.clone(),
        about: plugin.about.as_ref().map(about),
        state: match plugin.state {
            dto::PluginState::New => PluginState::Reading,
            dto::PluginState::Waiting => PluginState::Waiting,
            dto::PluginState::Approved => PluginState::Approved,
            dto::PluginState::Changed => PluginState::Changed,
            dto::PluginState::Refused => PluginState::Refused(reason.clone().unwrap_or_default()),
            dto::PluginState::Removed => PluginState::Gone,
        },
        note: reason.filter(|_| !refused),
        bundled: plugin.bundled,
        destinations: plugin.destinations.len() as u64,
        problem,
    }
}

fn hash(plugin: &dto::Plugin) -> Option<ComponentHash> {
    plugin.hash.as_ref()?.parse().ok()
}

/// What went wrong lately at the destinations of a plugin, newest first.
async fn problems(app: &App, plugin: &dto::Plugin) -> Result<Vec<PluginProblem>> {
    let mut problems = Vec::new();
    for name in &plugin.destinations {
        let destination = destinations::find(app, name).await?;
        for delivery in deliveries::to(app, &destination, LOOKED_AT).await? {
            let Some(text) = delivery.error else { continue };
            problems.push(PluginProblem {
                at: delivery.completed_at.unwrap_or(delivery.created_at),
                text,
                destination: Some(name.clone()),
            });
        }
    }
    let checks = app.catalog.checks().await?;
    for name in &plugin.destinations {
        let destination = destinations::find(app, name).await?;
        let Some((at, found)) = checks.get(&destination.id) else { continue };
        if found["ok"] == false {
            let text = found["message"].as_str().unwrap_or_default().to_owned();
            problems.push(PluginProblem { at: *at, text, destination: Some(name.clone()) });
        }
    }
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.at));
    problems.truncate(PROBLEMS_MAX);
    Ok(problems)
}

async fn list_data(app: &App, errors: FieldErrors) -> Result<PluginsPage> {
    let mut list = plugins::list(app).await?;
    // What waits for somebody comes first; the order by name stays within.
    list.sort_by_key(|it| match it.state {
        dto::PluginState::Changed | dto::PluginState::Waiting => 0,
        dto::PluginState::New => 1,
        dto::PluginState::Approved | dto::PluginState::Removed => 2,
        dto::PluginState::Refused => 3,
    });
    let mut items = Vec::with_capacity(list.len());
    for plugin in &list {
        let newest = problems(app, plugin).await?.into_iter().next();
        items.push(item(plugin, newest));
    }
    let folder = app.plugins.folder().display().to_string();
    let folder_problem = app.plugins.problem();
    Ok(PluginsPage { folder, folder_problem, plugins: items, errors })
}

/// `GET /plugins`
pub async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse> {
    let data = list_data(&app, FieldErrors::new()).await?;
    Ok(html(view::page(&chrome::of(&request, Some(Nav::Plugins)), &data)))
}

/// `POST /plugins`: a form with a file.
pub async fn upload(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse> {
    let expected = session::csrf(&session);
    let form = Multipart::new(request.headers(), body);
    let (name, bytes) = upload_in_time(read_upload(form, expected)).await??;
    match plugins::upload(&app, &caller, &name, bytes).await {
        Ok(plugin) => {
            let item = item(&plugin, None);
            session::notice(
                &session,
                NoticeKind::Done,
                &format!("{} is in the plugin folder.", item.file),
            );
            Ok(see_other(item.address()))
        }
        Err(error) => {
            let mut errors = FieldErrors::new();
            match error {
                Error::Invalid(fields) => {
                    for it in fields {
                        errors.add("component", it.message);
                    }
                }
                other => errors = form_errors(other)?,
            }
            let data = list_data(&app, errors).await?;
            let page = view::page(&chrome::of(&request, Some(Nav::Plugins)), &data);
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
    }
}

/// The file and its name. The token stands before the file, so that a file
/// without one is not even read.
async fn read_upload(mut form: Multipart, expected: Option<String>) -> Result<(String, Bytes)> {
    let most = usize::try_from(FILE_MAX).unwrap_or(usize::MAX);
    let broken = |_| Error::BadRequest("the form is not complete".to_owned());
    let mut is_ours = false;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(broken)?;
        let limit = if field.name() == Some("csrf") { 1 << 10 } else { most };
        if field.name() != Some("csrf") && !is_ours {
            break;
        }
        let filename = field.content_disposition().and_then(|it| it.get_filename());
        let filename = filename.unwrap_or_default().to_owned();
        let mut bytes = Vec::new();
        while let Some(part) = field.next().await {
            let part = part.map_err(broken)?;
            if bytes.len() + part.len() > limit {
                return Err(Error::TooLarge);
            }
            bytes.extend_from_slice(&part);
        }
        match field.name() {
            Some("csrf") => {
                let given = String::from_utf8_lossy(&bytes);
                csrf::hold(expected.as_deref(), &given)?;
                is_ours = true;
            }
            Some("component") => return Ok((filename, bytes.into())),
            _ => {}
        }
    }
    if is_ours {
        Err(Error::BadRequest("there is no file in the form".to_owned()))
    } else {
        Err(Error::FormExpired)
    }
}

async fn data(app: &App, plugin: &dto::Plugin) -> Result<PluginPage> {
    let mut named = Vec::new();
    for name in &plugin.destinations {
        named.push((destinations::find(app, name).await?.id, name.clone()));
    }
    let problems = problems(app, plugin).await?;
    let approved = plugin.approved_at.zip(plugin.approved_by.clone());
    let granted = approved.as_ref().map(|_| &plugin.grants);
    let before = plugin.granted_before.clone();
    // What the version before might do is offered, and counts once it is approved.
    let offered: &Grants = granted.or(before.as_ref()).unwrap_or(&plugin.grants);
    let imports = plugin.about.iter().flat_map(|about| &about.imports);
    Ok(PluginPage {
        id: plugin.about.as_ref().map(|about| about.id.clone()).unwrap_or_default(),
        imports: imports
            .map(|it| ImportItem { name: it.name.clone(), words: it.words.clone() })
            .collect(),
        form: ApproveForm::of(offered),
        approved,
        seen_at: plugin.first_seen_at,
        before: before.map(|grants| Before {
            changes: plugin.changes.clone(),
            hashes: plugin.hash_before.clone().zip(plugin.hash.clone()),
            grants,
        }),
        destinations: named,
        item: item(plugin, problems.first().cloned()),
        problems,
    })
}

/// `GET /plugins/{hash}`
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    key: web::Path<String>,
) -> Result<HttpResponse> {
    let data = data(&app, &plugins::find(&app, &key).await?).await?;
    Ok(html(one::page(&chrome::of(&request, Some(Nav::Plugins)), &data)))
}

/// `POST /plugins/{hash}/approve`
pub async fn approve(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
    key: web::Path<String>,
    CheckedForm(form): CheckedForm<Pairs>,
) -> Result<HttpResponse> {
    let lines = |name: &str, end: &str| -> Vec<String> {
        let lines = form.first(name).lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(|line| format!("{line}{end}")).collect()
    };
    let (public, private) = (lines("hosts", ""), lines("private_hosts", " private"));
    let wish = dto::Approval {
        hosts: [public.clone(), private].concat(),
        folder: Some(form.first("folder").to_owned()),
        mail: form.first("mail") == "true",
    };
    let plugin = plugins::find(&app, &key).await?;
    match plugins::approve(&app, &caller, plugin.hash.as_deref().unwrap_or(&key), &wish).await {
        Ok(plugin) => {
            let item = item(&plugin, None);
            let text = format!("{} may run, with what is granted below.", item.name());
            session::notice(&session, NoticeKind::Done, &text);
            Ok(see_other(item.address()))
        }
        Err(error) => {
            let mut data = data(&app, &plugin).await?;
            let mut errors = form_errors(error)?;
            // The service has one list of hosts, the form two.
            if errors.get("hosts").is_some_and(|text| text.contains(" private: ")) {
                errors = errors.renamed("hosts", "private_hosts");
            }
            data.form = ApproveForm {
                hosts: form.first("hosts").to_owned(),
                private_hosts: form.first("private_hosts").to_owned(),
                folder: form.first("folder").to_owned(),
                mail: wish.mail,
                errors,
            };
            let page = one::page(&chrome::of(&request, Some(Nav::Plugins)), &data);
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
    }
}

fn revoke_data(plugin: &dto::Plugin, refused: Option<String>) -> PluginRevokePage {
    PluginRevokePage { item: item(plugin, None), destinations: plugin.destinations.len(), refused }
}

/// `GET /plugins/{hash}/revoke`
pub async fn revoke_form(
    app: web::Data<App>,
    request: HttpRequest,
    key: web::Path<String>,
) -> Result<HttpResponse> {
    let plugin = plugins::find(&app, &key).await?;
    let chrome = chrome::of(&request, Some(Nav::Plugins));
    Ok(html(plugin_revoke::page(&chrome, &revoke_data(&plugin, None))))
}

/// `POST /plugins/{hash}/revoke`
pub async fn revoke(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
    key: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let plugin = plugins::find(&app, &key).await?;
    match plugins::revoke(&app, &caller, plugin.hash.as_deref().unwrap_or(&key)).await {
        Ok(()) => {
            let text = format!("{} may not run any more.", item(&plugin, None).name());
            session::notice(&session, NoticeKind::Done, &text);
            Ok(see_other("/plugins"))
        }
        Err(error) => {
            let data = revoke_data(&plugin, Some(refusal(error)?));
            let page = plugin_revoke::page(&chrome::of(&request, Some(Nav::Plugins)), &data);
            Ok(html_with(StatusCode::CONFLICT, page))
        }
    }
}
