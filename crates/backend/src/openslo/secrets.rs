//! Secrets in documents: connection details and specifications of sources may hold them, and whatever shows a document shows a
//! reference in their place.

use slowburn_domain::query::FieldFault;

use super::library::key;
use super::yaml::{self, Node};

/// What a key of a secret contains, in lower case and without marks.
const SECRET_WORDS: [&str; 9] =
    ["secret", "password", "passwd", "token", "apikey", "accesskey", "privatekey", "credential", "authorization"];
/// A value that begins so is a reference already.
const REFERENCE: &str = "${";

/// The text with every secret replaced by a reference like `${NAME_KEY}`. Where that cannot be done, a comment that says so.
pub(crate) fn masked(text: &str) -> String {
    let Some((name, secrets)) = secrets_of(text).ok().filter(|(_, secrets)| !secrets.is_empty()) else { return text.to_owned() };
    let mut masked = text.to_owned();
    for (key, value) in &secrets {
        masked = replaced(&masked, key, value, &format!("${{{}_{}}}", shouted(&name), shouted(key)));
    }
    match secrets_of(&masked) {
        Ok((_, left)) if left.is_empty() => masked,
        _ => format!("# {name} is left out: it holds a secret that cannot be told from the rest of its text.\n"),
    }
}

/// The name of a document, and its secrets by key.
fn secrets_of(text: &str) -> Result<(String, Vec<(String, String)>), FieldFault> {
    let mut secrets = Vec::new();
    let mut name = String::new();
    for document in yaml::split(text)? {
        let node = document.read(&yaml::Budget::default())?;
        if let Some((_, found)) = key(&node) {
            found.clone_into(&mut name);
        }
        collect(&node, "", false, None, &mut secrets);
    }
    Ok((name, secrets))
}

/// `parent` is the key that holds `node`; `is_details` whether it lies within details of a source; `secret` the key that makes
/// what it holds a secret.
fn collect(node: &Node, parent: &str, is_details: bool, secret: Option<&str>, secrets: &mut Vec<(String, String)>) {
    match node {
        Node::Map(pairs) => {
            for (key, value) in pairs {
                let is_details = is_details || key == "connectionDetails" || parent == "metricSource" && key == "spec";
                let is_secret = secret.is_some() || is_details && is_secret_word(key);
                collect(value, key, is_details, is_secret.then_some(key.as_str()), secrets);
            }
        }
        Node::List(nodes) => nodes.iter().for_each(|node| collect(node, parent, is_details, secret, secrets)),
        Node::Text(value) if !value.is_empty() && !value.starts_with(REFERENCE) => {
            secrets.extend(secret.map(|key| (key.to_owned(), value.clone())));
        }
        Node::Int(value) => secrets.extend(secret.map(|key| (key.to_owned(), value.to_string()))),
        _ => {}
    }
}

fn is_secret_word(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    SECRET_WORDS.into_iter().any(|word| plain.contains(word))
}

/// The value after every `key:`, quoted or not, exchanged.
fn replaced(text: &str, key: &str, value: &str, reference: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(key) {
        let (before, after) = rest.split_at(at + key.len());
        result.push_str(before);
        let lead = after.len() - after.trim_start_matches(['"', '\'']).trim_start_matches([':', ' ', '\t']).len();
        let quoted = after[lead..].trim_start_matches(['"', '\'']);
        let quote = &after[lead..after.len() - quoted.len()];
        rest = match quoted.strip_prefix(value) {
            Some(end) if after[..lead].contains(':') && quote.len() <= 1 && end.starts_with(quote) => {
                result.push_str(&after[..lead]);
                result.push('"');
                result.push_str(reference);
                result.push('"');
                &end[quote.len()..]
            }
            _ => after,
        };
    }
    result.push_str(rest);
    result
}

/// In capitals, all else one `_`.
fn shouted(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: watch-1}\nspec:\n  type: CloudWatch\n  connectionDetails:\n";

    #[test]
    fn b1_secrets_come_out_as_references() {
        for (details, wanted) in [
            ("    accessKeyID: abc # ours\n", "    accessKeyID: \"${WATCH_1_ACCESSKEYID}\" # ours\n"),
            ("    secretAccessKey: 'x y'\n", "    secretAccessKey: \"${WATCH_1_SECRETACCESSKEY}\"\n"),
            ("    api_key: \"k\"\n    url: https://k\n", "    api_key: \"${WATCH_1_API_KEY}\"\n    url: https://k\n"),
            ("    {token: 12345, region: eu}\n", "    {token: \"${WATCH_1_TOKEN}\", region: eu}\n"),
            ("    password: ${FROM_ELSEWHERE}\n", "    password: ${FROM_ELSEWHERE}\n"),
            ("    region: eu\n", "    region: eu\n"),
        ] {
            assert_eq!(masked(&format!("{SOURCE}{details}")), format!("{SOURCE}{wanted}"));
        }
    }

    #[test]
    fn b1_a_secret_that_cannot_be_replaced_takes_its_document_along() {
        for details in ["    password: |\n      first\n      second\n", "    tokens: [one, two]\n", "    password: \"a\\tb\"\n"] {
            let text = masked(&format!("{SOURCE}{details}"));
            assert!(text.starts_with("# watch-1 is left out") && text.lines().count() == 1, "{text}");
        }
    }
}
