//! What a component says, made fit to be shown.

use cofferdam_model::is_unfit;

/// The text without escape sequences and without characters that hide or turn
/// others around, cut to `most` bytes. Line ends stay, if there may be any.
pub(crate) fn clean(text: &str, most: usize, lines: bool) -> String {
    let mut out = String::with_capacity(text.len().min(most));
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let kept = match c {
            '\u{1b}' => {
                skip_escape(&mut rest);
                continue;
            }
            '\n' if lines => '\n',
            '\t' | '\n' => ' ',
            c if is_unfit(c) => continue,
            c => c,
        };
        if out.len() + kept.len_utf8() > most {
            out.push('…');
            break;
        }
        out.push(kept);
    }
    out
}

/// Skips what follows ESC: `[` up to a letter or its like, `]` up to BEL or
/// `ESC \`, or one character.
fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => {
            for c in rest.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    return;
                }
            }
        }
        Some(']') => {
            while let Some(c) = rest.next() {
                if c == '\u{7}' {
                    return;
                }
                if c == '\u{1b}' {
                    rest.next_if_eq(&'\\');
                    return;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colours_titles_and_turned_around_text_are_left_out() {
        assert_eq!(
            clean("\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}x\u{202e}y\r\u{8}z", 99, false),
            "red xyz"
        );
        assert_eq!(clean("a\nb\tc", 99, false), "a b c");
        assert_eq!(clean("a\nb\tc", 99, true), "a\nb c");
    }

    #[test]
    fn long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(clean("ääää", 5, false), "ää…");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_bounded_and_fit(text in ".*", most in 0usize..100) {
            let out = clean(&text, most, false);
            prop_assert!(out.len() <= most + '…'.len_utf8());
            prop_assert!(!out.chars().any(is_unfit));
        }
    }
}
