//! What `exthost dev` prints of plugins.

use std::net::SocketAddr;
use std::time::Duration;

use exthost::Refusal;
use exthost::registry::{PluginStatus, RouteStatus};

/// A plugin with the URLs of its routes.
pub(crate) fn serving(plugin: &PluginStatus, address: SocketAddr) -> String {
    let base = format!("http://{address}/api/ext/{}", plugin.name);
    let mut text = format!("{} {} serves at {base}/", plugin.name, plugin.version);
    let lines = routes(plugin, address);
    // A plugin with many routes would push the others off the screen.
    let shown = match lines.len() {
        len if len <= ROUTES_SHOWN_MAX => len,
        _ => ROUTES_SHOWN_MAX - 1,
    };
    for line in &lines[..shown] {
        text += "\n  ";
        text += line;
    }
    if shown < lines.len() {
        let more = lines.len() - shown;
        text += &format!("\n  and {more} more, in http://{address}/api/host/plugins");
    }
    text
}

/// Most lines for the routes of one plugin.
const ROUTES_SHOWN_MAX: usize = 6;

/// The routes of a plugin, a line for each.
pub(crate) fn routes(plugin: &PluginStatus, address: SocketAddr) -> Vec<String> {
    let base = format!("http://{address}/api/ext/{}", plugin.name);
    let routes = plugin.routes.iter();
    let rows: Vec<_> = routes.map(|route| row(route, &base)).collect();
    align(&rows)
}

/// The method of a route, its URL, and what it asks of a client.
type Row = (String, String, &'static str);

fn row(route: &RouteStatus, base: &str) -> Row {
    let access = if route.public { "public" } else { "" };
    let url = format!("{base}{}", route.pattern);
    (route.method.clone(), url, access)
}

fn align(rows: &[Row]) -> Vec<String> {
    let width = |of: fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let method_width = width(|(method, _, _)| method.len());
    let url_width = width(|(_, url, _)| url.len());
    let line = |(method, url, access): &Row| {
        let line = format!("{method:method_width$}  {url:url_width$}  {access}");
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A plugin that serves anew.
pub(crate) fn rebuilt(name: &str, took: Duration, generation: u64) -> String {
    format!(
        "rebuilt {name} in {}, generation {generation} serves",
        seconds(took)
    )
}

/// A build that made the file that serves already.
pub(crate) fn unchanged(name: &str, took: Duration, generation: u64) -> String {
    let took = seconds(took);
    format!("built {name} in {took}, the file is the same, generation {generation} serves on")
}

/// A project that did not build. `goes_on` is the generation that serves
/// still, if one does.
pub(crate) fn not_built(project: &str, why: &str, goes_on: Option<u64>) -> String {
    format!("{project} was not built: {why}{}", consequence(goes_on))
}

/// A library that the host refused.
pub(crate) fn refused(project: &str, refusal: &Refusal, goes_on: Option<u64>) -> String {
    let (code, message) = (refusal.code(), refusal.message());
    format!(
        "{project} was refused: {code}: {message}{}",
        consequence(goes_on)
    )
}

fn consequence(goes_on: Option<u64>) -> String {
    match goes_on {
        Some(generation) => format!("; generation {generation} serves on"),
        None => "; it is tried again when it changes".to_owned(),
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use exthost::discovery::discover;

    use super::*;

    #[test]
    fn routes_stand_under_one_another() {
        let row = |method: &str, url: &str, access| (method.to_owned(), url.to_owned(), access);
        let rows = [
            row("GET", "http://a/api/ext/hello/hello", "public"),
            row("DELETE", "http://a/api/ext/hello/x", ""),
        ];
        assert_eq!(
            align(&rows),
            [
                "GET     http://a/api/ext/hello/hello  public",
                "DELETE  http://a/api/ext/hello/x",
            ]
        );
    }

    #[test]
    fn lines_name_time_and_generation() {
        let took = Duration::from_millis(841);
        assert_eq!(
            rebuilt("hello", took, 2),
            "rebuilt hello in 0.84 s, generation 2 serves"
        );
        assert_eq!(
            not_built("hello", "the build failed", Some(2)),
            "hello was not built: the build failed; generation 2 serves on"
        );
    }

    #[test]
    fn a_refusal_has_its_code() {
        let (_, errors) = discover(&["no/such".into()]);
        let why = errors.into_iter().next().unwrap();
        let line = refused("hello", &Refusal::new(Path::new("no/such"), why), None);
        assert!(
            line.starts_with("hello was refused: unreadable-directory: "),
            "{line}"
        );
        assert!(
            line.ends_with("; it is tried again when it changes"),
            "{line}"
        );
    }
}
