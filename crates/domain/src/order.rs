//! Sorting by index. Every sort that the compiler makes for a type of its own weighs three kilobytes of WebAssembly, so what pages
//! sort is sorted here, by one.

use std::cmp::Ordering;

/// Sorts indices; equals keep their order.
#[inline(never)]
pub(crate) fn sort(indices: &mut [u32], compare: &dyn Fn(u32, u32) -> Ordering) {
    indices.sort_by(|a, b| compare(*a, *b));
}

/// Items in order; equals keep theirs.
pub(crate) fn sorted<T: Clone>(items: &[T], compare: &dyn Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut indices: Vec<u32> = (0..items.len() as u32).collect();
    sort(&mut indices, &|a, b| compare(&items[a as usize], &items[b as usize]));
    indices.into_iter().map(|index| items[index as usize].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_keep_their_order() {
        let items = [(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')];
        assert_eq!(sorted(&items, &|a, b| a.0.cmp(&b.0)), [(1, 'b'), (1, 'd'), (2, 'a'), (2, 'c')]);
        assert!(sorted(&[] as &[u8], &Ord::cmp).is_empty());
    }
}
