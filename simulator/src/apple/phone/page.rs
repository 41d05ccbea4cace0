//! As much of a browser as the invitation page needs: finds the form that accepts, and the link to the profile.

/// An HTML form: where it goes and what it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// `action`, as written.
    pub action: String,
    /// `method`, in lower case; `get` when absent.
    pub method: String,
    /// Names and values a browser would send once every box is ticked and the first button pressed.
    pub fields: Vec<(String, String)>,
}

/// The first form sent by POST.
pub fn acceptance_form(html: &str) -> Option<Form> {
    let lower = html.to_ascii_lowercase();
    let mut from = 0;
    while let Some(start) = lower.get(from..)?.find("<form").map(|at| from + at) {
        let end = lower.get(start..)?.find("</form").map_or(html.len(), |at| start + at);
        let form = read_form(html.get(start..end)?);
        if form.method == "post" {
            return Some(form);
        }
        from = end;
    }
    None
}

/// The address of the first link whose target names a configuration profile.
pub fn profile_link(html: &str) -> Option<String> {
    let links = tags(html).filter(|tag| tag.name == "a" || tag.name == "meta");
    links
        .filter_map(|tag| match tag.name.as_str() {
            "a" => tag.attribute("href"),
            // <meta http-equiv="refresh" content="0; url=…">
            _ => tag.attribute("content")?.split_once("url=").map(|(_, url)| url.trim_matches('\'').to_owned()),
        })
        .find(|link| link.contains("mobileconfig"))
}

fn read_form(html: &str) -> Form {
    let mut form = Form { action: String::new(), method: "get".into(), fields: Vec::new() };
    let mut pressed = false;
    for tag in tags(html) {
        match tag.name.as_str() {
            "form" => {
                form.action = tag.attribute("action").unwrap_or_default();
                form.method = tag.attribute("method").unwrap_or_else(|| "get".into()).to_lowercase();
            }
            "input" | "button" => {
                let kind = tag.attribute("type").unwrap_or_default().to_lowercase();
                let button = kind == "submit" || (tag.name == "button" && kind.is_empty());
                if kind == "button" || kind == "reset" || (button && pressed) {
                    continue;
                }
                pressed |= button;
                if let Some(name) = tag.attribute("name") {
                    let default = if kind == "checkbox" { "on" } else { "" };
                    form.fields.push((name, tag.attribute("value").unwrap_or_else(|| default.into())));
                }
            }
            _ => {}
        }
    }
    form
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

fn tags(html: &str) -> impl Iterator<Item = Tag> + '_ {
    html.split('<').skip(1).filter_map(read_tag)
}

fn read_tag(text: &str) -> Option<Tag> {
    let name_end = text.find(|letter: char| !letter.is_ascii_alphanumeric())?;
    let (name, mut rest) = text.split_at(name_end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '/');
        if rest.is_empty() || rest.starts_with('>') {
            break;
        }
        let end =
            rest.find(|letter: char| letter.is_ascii_whitespace() || "=>/".contains(letter)).unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        let (key, after) = rest.split_at(end);
        let (value, after) = match after.trim_start().strip_prefix('=') {
            Some(after) => read_value(after.trim_start()),
            None => (String::new(), after),
        };
        attributes.push((key.to_lowercase(), value));
        rest = after;
    }
    Some(Tag { name: name.to_lowercase(), attributes })
}

fn read_value(text: &str) -> (String, &str) {
    for quote in ['"', '\''] {
        if let Some(after) = text.strip_prefix(quote) {
            let (value, rest) = after.split_once(quote).unwrap_or((after, ""));
            return (unescape(value), rest);
        }
    }
    let end = text.find(|letter: char| letter.is_ascii_whitespace() || letter == '>').unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    (unescape(value), rest)
}

fn unescape(text: &str) -> String {
    let pairs = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#38;", "&"),
    ];
    let mut plain = text.to_owned();
    for (escaped, letter) in pairs {
        plain = plain.replace(escaped, letter);
    }
    plain.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_a_browser_would_send() {
        let html = r#"<html><form action="/search"><input name=q></form>
            <form method="POST" action="/i/abc?x=1&amp;y=2"><input type="hidden" name="notice" value="3">
            <label><input type=checkbox name="read" required> read</label>
            <button type="submit" name="answer" value="yes">Accept</button><button name="answer" value="no">No</button></form>"#;
        let form = acceptance_form(html).expect("a form");
        assert_eq!(form.action, "/i/abc?x=1&y=2");
        let fields: Vec<(&str, &str)> = form.fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(fields, [("notice", "3"), ("read", "on"), ("answer", "yes")]);
    }

    #[test]
    fn the_link_to_the_profile() {
        assert_eq!(
            profile_link(r#"<a href="/help">Help</a> <a class="b" href='/i/abc/apple.mobileconfig'>Get</a>"#)
                .as_deref(),
            Some("/i/abc/apple.mobileconfig")
        );
        assert_eq!(profile_link("<a href=/help>Help</a>"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_page_is_survived(html in "(<|>|form|input|name=|\"|'|/| |a|&amp;|é){0,60}") {
            let _ = acceptance_form(&html);
            let _ = profile_link(&html);
        }
    }
}
