//! What differs between two texts, line by line, in the unified form that `diff -u` and `git` have.

/// Lines around a change that are shown with it.
const AROUND: usize = 3;
/// Comparing costs old × new lines; beyond this many the middle is told as replaced.
const MOST_CELLS: usize = 4_000_000;

/// A line that both have, that is gone, or that is new.
#[derive(Clone, Copy)]
enum Line<'t> {
    Both(&'t str),
    Gone(&'t str),
    New(&'t str),
}

/// The difference, empty when there is none. `old` and `new` are empty where there was or will be no text.
pub(super) fn unified(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let lines = compared(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let side = |text: &str, mark: &str| if text.is_empty() { "/dev/null".to_owned() } else { format!("{mark}/{name}") };
    let mut text = format!("--- {}\n+++ {}\n", side(old, "a"), side(new, "b"));
    let is_near = |index: usize| {
        let around = &lines[index.saturating_sub(AROUND)..lines.len().min(index + AROUND + 1)];
        around.iter().any(|line| !matches!(line, Line::Both(_)))
    };
    let (mut old_line, mut new_line, mut index) = (1, 1, 0);
    while index < lines.len() {
        if !is_near(index) {
            (old_line, new_line, index) = (old_line + 1, new_line + 1, index + 1);
            continue;
        }
        let end = (index..lines.len()).find(|index| !is_near(*index)).unwrap_or(lines.len());
        let hunk = &lines[index..end];
        let olds = hunk.iter().filter(|line| !matches!(line, Line::New(_))).count();
        let news = hunk.iter().filter(|line| !matches!(line, Line::Gone(_))).count();
        let first = |line: usize, count: usize| if count == 0 { line - 1 } else { line };
        text.push_str(&format_header(first(old_line, olds), olds, first(new_line, news), news));
        for line in hunk {
            let (mark, line) = match line {
                Line::Both(line) => (' ', line),
                Line::Gone(line) => ('-', line),
                Line::New(line) => ('+', line),
            };
            text.push(mark);
            text.push_str(line);
            text.push('\n');
        }
        (old_line, new_line, index) = (old_line + olds, new_line + news, end);
    }
    text
}

fn format_header(old: usize, olds: usize, new: usize, news: usize) -> String {
    format!("@@ -{old},{olds} +{new},{news} @@\n")
}

/// Longest common run of lines, after the ends that are the same.
fn compared<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_middle, new_middle) = (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);
    let mut lines: Vec<Line<'t>> = old[..head].iter().map(|line| Line::Both(line)).collect();
    if old_middle.len() * new_middle.len() > MOST_CELLS {
        lines.extend(old_middle.iter().map(|line| Line::Gone(line)));
        lines.extend(new_middle.iter().map(|line| Line::New(line)));
    } else {
        middle(old_middle, new_middle, &mut lines);
    }
    lines.extend(old[old.len() - tail..].iter().map(|line| Line::Both(line)));
    lines
}

fn middle<'t>(old: &[&'t str], new: &[&'t str], lines: &mut Vec<Line<'t>>) {
    let width = new.len() + 1;
    // Lines in common from (i, j) to the ends.
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Both(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[(i + 1) * width + j] >= common[i * width + j + 1] {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_the_lines_around_them() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let new = "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\nk\n";
        let wanted = "--- a/x\n+++ b/x\n@@ -2,9 +2,10 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n i\n j\n+k\n";
        assert_eq!(unified("x", old, new), wanted);
        assert_eq!(unified("x", old, old), "");
    }

    #[test]
    fn what_is_new_or_gone_has_nothing_on_the_other_side() {
        assert_eq!(unified("x", "", "a\nb\n"), "--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n");
        assert_eq!(unified("x", "a\n", ""), "--- a/x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n");
    }
}
