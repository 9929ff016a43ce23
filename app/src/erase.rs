//! Smaller WebAssembly. An erased view keeps every function it might need, and leptos' asynchronous hydration of lazily
//! loaded code, which nothing here uses, weighs a quarter of the whole program. [`Erase::erase`] erases a view whose
//! asynchronous hydration is its ordinary one.

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::ssr::StreamBuilder;
use leptos::tachys::view::{Position, PositionState};

/// Erasing a view's type; use it where leptos says `into_any`.
pub trait Erase {
    /// The view without its type.
    fn erase(self) -> AnyView;
}

impl<V: RenderHtml> Erase for V {
    fn erase(self) -> AnyView {
        Plain(self).into_any()
    }
}

/// A view that hydrates at once.
struct Plain<V>(V);

impl<V: Render> Render for Plain<V> {
    type State = V::State;

    fn build(self) -> Self::State {
        self.0.build()
    }

    fn rebuild(self, state: &mut Self::State) {
        self.0.rebuild(state);
    }
}

impl<V: RenderHtml> AddAnyAttr for Plain<V> {
    type Output<New: Attribute> = Plain<V::Output<New>>;

    fn add_any_attr<New: Attribute>(self, attribute: New) -> Self::Output<New>
    where
        Self::Output<New>: RenderHtml,
    {
        Plain(self.0.add_any_attr(attribute))
    }
}

impl<V: RenderHtml> RenderHtml for Plain<V> {
    type AsyncOutput = V::AsyncOutput;
    type Owned = Plain<V::Owned>;

    const MIN_LENGTH: usize = V::MIN_LENGTH;
    const EXISTS: bool = V::EXISTS;

    fn dry_resolve(&mut self) {
        self.0.dry_resolve();
    }

    async fn resolve(self) -> Self::AsyncOutput {
        self.0.resolve().await
    }

    fn html_len(&self) -> usize {
        self.0.html_len()
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0.to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        buf: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0.to_html_async_with_buf::<OUT_OF_ORDER>(buf, position, escape, mark_branches, extra_attrs);
    }

    // Both ways of hydrating share one copy of the code.
    #[inline(never)]
    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.0.hydrate::<FROM_SERVER>(cursor, position)
    }

    async fn hydrate_async(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.0.hydrate::<true>(cursor, position)
    }

    fn into_owned(self) -> Self::Owned {
        Plain(self.0.into_owned())
    }
}
