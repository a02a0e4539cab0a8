//! `/api/docs`: the OpenAPI document as a page.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse};
use cofferdam_views::pages::api::{self as view, ApiPage, Call, Group, Parameter};
use serde_json::{Value, json};
use utoipa::OpenApi as _;

use super::openapi::Api;
use crate::http::chrome::{self, html};

/// The order of the groups.
const TAGS: [&str; 7] =
    ["auth", "backups", "databases", "deliveries", "destinations", "plugins", "status"];

/// `GET /api/docs`
pub async fn page(request: HttpRequest) -> HttpResponse {
    let document = serde_json::to_value(Api::openapi()).unwrap_or_default();
    html(view::page(&chrome::of(&request, None), &read(&document)))
}

fn read(document: &Value) -> ApiPage {
    let mut groups: BTreeMap<&str, Vec<Call>> = BTreeMap::new();
    let paths = document["paths"].as_object();
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            groups.entry(tag).or_default().push(call(document, path, method, operation));
        }
    }
    let groups = TAGS
        .iter()
        .filter_map(|tag| groups.remove(tag).map(|calls| Group { tag: (*tag).to_owned(), calls }));
    ApiPage { groups: groups.collect() }
}

fn call(document: &Value, path: &str, method: &str, operation: &Value) -> Call {
    let text = |value: &Value| value.as_str().unwrap_or_default().trim().replace('`', "");
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|it| Parameter {
        name: text(&it["name"]),
        place: text(&it["in"]),
        required: it["required"] == true,
        description: text(&it["description"]),
    });
    let body = &operation["requestBody"]["content"]["application/json"];
    let answers = operation["responses"].as_object().into_iter().flatten();
    Call {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        parameters: parameters.collect(),
        body: (!body.is_null())
            .then(|| serde_json::to_string_pretty(&example(document, body)).unwrap_or_default()),
        answers: answers
            .map(|(status, it)| (status.clone(), meaning(status, &text(&it["description"]))))
            .collect(),
    }
}

/// What a status means, in the document's words or the standard's.
fn meaning(status: &str, words: &str) -> String {
    if !words.is_empty() {
        return words.to_owned();
    }
    let known =
        status.parse().ok().and_then(|code| actix_web::http::StatusCode::from_u16(code).ok());
    known.and_then(|code| code.canonical_reason()).unwrap_or_default().to_owned()
}

/// A body to begin with: the call's own example, else its type's, else the
/// fields that are required, or all of them where none is.
fn example(document: &Value, body: &Value) -> Value {
    let schema = &body["schema"];
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let schema = name.map_or(schema, |name| &document["components"]["schemas"][name]);
    if let Some(given) = body.get("example").or_else(|| schema.get("example")) {
        return given.clone();
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields =
        properties.filter(|(name, _)| required.is_empty() || required.contains(&name.as_str()));
    fields
        .map(|(name, it)| {
            // What may be left out has two types, the other one being null.
            let kind = it["type"].as_array().map_or(&it["type"], |types| &types[0]);
            let value = match kind.as_str() {
                Some("boolean") => json!(true),
                Some("integer" | "number") => json!(1),
                Some("array") => json!([]),
                _ => json!(""),
            };
            (name.clone(), value)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dto, service::connection};

    #[test]
    fn every_call_of_the_document_is_on_the_page() {
        let document = serde_json::to_value(Api::openapi()).expect("it is JSON");
        let shown: usize = read(&document).groups.iter().map(|group| group.calls.len()).sum();
        let paths = document["paths"].as_object().expect("paths");
        let all: usize =
            paths.values().map(|it| it.as_object().map_or(0, serde_json::Map::len)).sum();
        assert_eq!(shown, all);
        let groups = read(&document).groups;
        let create = groups
            .iter()
            .flat_map(|it| &it.calls)
            .find(|it| it.method == "POST" && it.path == "/api/v1/backups");
        assert_eq!(
            create.and_then(|it| it.body.as_deref()),
            Some("{\n  \"database\": \"shop\"\n}")
        );
    }

    #[test]
    fn every_sample_body_is_one_that_its_call_takes() {
        fn fits<T: serde::de::DeserializeOwned>(body: &str) -> serde_json::Result<()> {
            serde_json::from_str::<T>(body).map(drop)
        }
        let document = serde_json::to_value(Api::openapi()).expect("it is JSON");
        for call in read(&document).groups.iter().flat_map(|group| &group.calls) {
            let Some(body) = &call.body else { continue };
            let taken = match (call.method.as_str(), call.path.trim_start_matches("/api/v1")) {
                ("POST", "/auth/login") => fits::<dto::LoginRequest>(body),
                ("POST", "/backups") => fits::<dto::NewBackup>(body),
                (_, "/backups/{id}/pin") => fits::<dto::Pin>(body),
                (_, "/backups/{id}/labels") => fits::<dto::Labels>(body),
                ("POST", "/databases") => {
                    let input = serde_json::from_str::<dto::DatabaseInput>(body).expect(body);
                    assert!(connection::understand(&input, None).is_ok(), "{body}");
                    Ok(())
                }
                ("PATCH", "/databases/{id}") => fits::<dto::DatabaseInput>(body),
                (_, "/destinations/{id}/retention") => fits::<dto::RetentionWish>(body),
                (_, path) if path.starts_with("/destinations") => {
                    fits::<dto::DestinationInput>(body)
                }
                ("POST", "/plugins/{hash}/approve") => fits::<dto::Approval>(body),
                other => panic!("{other:?} has a body that this test does not know"),
            };
            assert!(taken.is_ok(), "{} {}: {taken:?}: {body}", call.method, call.path);
        }
    }
}
