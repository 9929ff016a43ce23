//! A map as a drawing in columns: callers on the left, callees on the right.
//!
//! Edges that close a cycle are turned for the time of the drawing (depth first, by name), and every node stands one layer right
//! of its furthest caller. An edge gets a place of its own in every column that it crosses, the first of which, between two
//! layers, is its label. So labels and nodes share the rules of one order: a few sweeps sort each column by the mean of its
//! neighbours, and then move it towards them as far as nothing overlaps. The same edges give the same drawing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Edge, Node};

/// Width of a node.
pub const NODE_WIDTH: f64 = 148.0;
/// Height of a node.
pub const NODE_HEIGHT: f64 = 44.0;
/// Width of a label.
pub const LABEL_WIDTH: f64 = 108.0;
/// Height of a label.
pub const LABEL_HEIGHT: f64 = 32.0;
/// Height of a place where an edge passes.
const PASS_HEIGHT: f64 = 8.0;
/// Between two things in a column.
const GAP: f64 = 14.0;
/// Between two columns.
const GUTTER: f64 = 26.0;
/// Around everything.
const MARGIN: f64 = 8.0;
/// Sweeps that sort columns, and that move them.
const SWEEPS: usize = 12;

/// A drawing. Lengths are pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// Every node.
    pub nodes: Vec<PlacedNode>,
    /// Every edge, in the order given.
    pub edges: Vec<PlacedEdge>,
}

/// A node at its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacedNode {
    /// The node.
    pub node: Node,
    /// Its layer, 0 on the left.
    pub layer: usize,
    /// Left end.
    pub x: f64,
    /// Upper end.
    pub y: f64,
}

/// An edge at its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlacedEdge {
    /// The edge.
    pub edge: Edge,
    /// Its points, from the caller's border over the label's middle to the callee's border.
    pub points: Vec<(f64, f64)>,
    /// The middle of its label.
    pub label: (f64, f64),
}

impl PlacedEdge {
    /// Its line as an SVG path: level at every point.
    pub fn path(&self) -> String {
        let mut points = self.points.iter();
        let Some((mut x, mut y)) = points.next().copied() else { return String::new() };
        let mut path = format!("M{x:.1} {y:.1}");
        for &(to_x, to_y) in points {
            let middle = f64::midpoint(x, to_x);
            let _ = write!(path, "C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {to_x:.1} {to_y:.1}");
            (x, y) = (to_x, to_y);
        }
        path
    }
}

/// Something in a column: a node, a label, or a place where an edge passes.
struct Place {
    height: f64,
    /// Middle.
    y: f64,
    left: Vec<usize>,
    right: Vec<usize>,
}

/// Places in columns. Even columns are layers of nodes.
struct Columns {
    places: Vec<Place>,
    columns: Vec<Vec<usize>>,
}

/// Lays edges out.
pub fn layout(edges: &[Edge]) -> Layout {
    let names: Vec<Node> = super::nodes(edges).into_iter().collect();
    let number: BTreeMap<&Node, usize> = names.iter().enumerate().map(|(index, node)| (node, index)).collect();
    let ends: Vec<(usize, usize)> = edges.iter().map(|edge| (number[&edge.from()], number[&edge.to()])).collect();
    let turned = turned(names.len(), &ends);
    let forward = |index: usize| if turned.contains(&ends[index]) { (ends[index].1, ends[index].0) } else { ends[index] };
    let layers = layers(names.len(), &(0..ends.len()).map(forward).collect::<Vec<_>>());

    let mut drawing = Columns { places: Vec::new(), columns: vec![Vec::new(); layers.iter().max().map_or(0, |last| last * 2 + 1)] };
    for layer in &layers {
        drawing.add(layer * 2, NODE_HEIGHT);
    }
    // Between its ends: the places of every edge from left to right, and which of them is the label.
    let chains: Vec<(Vec<usize>, usize)> = (0..ends.len())
        .map(|index| {
            let (from, to) = forward(index);
            let label = if turned.contains(&ends[index]) { layers[to] * 2 - 1 } else { layers[from] * 2 + 1 };
            let mut last = from;
            let (mut chain, mut label_place) = (Vec::new(), from);
            for column in layers[from] * 2 + 1..layers[to] * 2 {
                let place = drawing.add(column, if column == label { LABEL_HEIGHT } else { PASS_HEIGHT });
                label_place = if column == label { place } else { label_place };
                drawing.link(last, place);
                chain.push(place);
                last = place;
            }
            drawing.link(last, to);
            (chain, label_place)
        })
        .collect();
    drawing.sort();
    drawing.settle();
    drawing.draw(edges, &names, &layers, &chains, |index| (forward(index), turned.contains(&ends[index])))
}

/// How far a node was looked at.
#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// The edges that close a cycle, found depth first: from nodes without caller, then from the others, each by number.
fn turned(nodes: usize, ends: &[(usize, usize)]) -> BTreeSet<(usize, usize)> {
    let mut next: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); nodes];
    let mut is_called = vec![false; nodes];
    for (from, to) in ends {
        next[*from].insert(*to);
        is_called[*to] = true;
    }
    let mut state = vec![State::New; nodes];
    let mut turned = BTreeSet::new();
    let order = (0..nodes).filter(|node| !is_called[*node]).chain((0..nodes).filter(|node| is_called[*node]));
    for root in order {
        if state[root] != State::New {
            continue;
        }
        state[root] = State::Open;
        let mut stack = vec![(root, next[root].iter())];
        while let Some((node, rest)) = stack.last_mut() {
            let node = *node;
            match rest.next() {
                None => {
                    state[node] = State::Done;
                    stack.pop();
                }
                Some(to) if state[*to] == State::Open => {
                    turned.insert((node, *to));
                }
                Some(to) if state[*to] == State::New => {
                    state[*to] = State::Open;
                    stack.push((*to, next[*to].iter()));
                }
                Some(_) => {}
            }
        }
    }
    turned
}

/// The layer of every node: one more than that of its furthest caller. The edges have no cycle.
fn layers(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layers = vec![0; nodes];
    loop {
        let mut changed = false;
        for (from, to) in edges {
            if layers[*to] <= layers[*from] {
                layers[*to] = layers[*from] + 1;
                changed = true;
            }
        }
        if !changed {
            return layers;
        }
    }
}

impl Columns {
    fn add(&mut self, column: usize, height: f64) -> usize {
        let place = self.places.len();
        self.places.push(Place { height, y: 0.0, left: Vec::new(), right: Vec::new() });
        self.columns[column].push(place);
        place
    }

    fn link(&mut self, left: usize, right: usize) {
        self.places[left].right.push(right);
        self.places[right].left.push(left);
    }

    /// The columns of a sweep: to the right and back in turns.
    fn sweep(&self, number: usize) -> Vec<usize> {
        let columns = 0..self.columns.len();
        if number.is_multiple_of(2) { columns.collect() } else { columns.rev().collect() }
    }

    /// Orders every column by the mean place of its neighbours in the column before.
    fn sort(&mut self) {
        for number in 0..SWEEPS {
            for column in self.sweep(number) {
                self.number_places();
                let mean = |place: usize| {
                    let place = &self.places[place];
                    let side = if number.is_multiple_of(2) { &place.left } else { &place.right };
                    mean(side.iter().map(|other| self.places[*other].y)).unwrap_or(place.y)
                };
                let mut order: Vec<(f64, usize)> = self.columns[column].iter().map(|place| (mean(*place), *place)).collect();
                order.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.columns[column] = order.into_iter().map(|(_, place)| place).collect();
            }
        }
    }

    /// Spreads every column evenly from 0 to 1.
    fn number_places(&mut self) {
        for column in &self.columns {
            for (index, place) in column.iter().enumerate() {
                self.places[*place].y = (index as f64 + 0.5) / column.len() as f64;
            }
        }
    }

    /// Moves everything towards its neighbours, as far as order and distance allow.
    fn settle(&mut self) {
        for column in 0..self.columns.len() {
            self.place(column, |_| 0.0);
        }
        for number in 0..SWEEPS {
            for column in self.sweep(number) {
                let wishes: BTreeMap<usize, f64> = self.columns[column]
                    .iter()
                    .map(|place| {
                        let own = &self.places[*place];
                        let near = own.left.iter().chain(&own.right).map(|other| self.places[*other].y);
                        (*place, mean(near).unwrap_or(own.y))
                    })
                    .collect();
                self.place(column, |place| wishes[&place]);
            }
        }
    }

    /// Places a column as near to what is wished as nothing overlaps: what would, forms a block around the mean of its wishes.
    fn place(&mut self, column: usize, wish: impl Fn(usize) -> f64) {
        struct Block {
            /// Where its first place is wished to be, added up.
            sum: f64,
            size: usize,
            length: f64,
        }
        impl Block {
            fn start(&self) -> f64 {
                self.sum / self.size as f64
            }
        }
        let order = self.columns[column].clone();
        let mut blocks: Vec<Block> = Vec::new();
        for place in &order {
            let height = self.places[*place].height + GAP;
            let mut block = Block { sum: wish(*place) - height / 2.0, size: 1, length: height };
            while let Some(above) = blocks.pop_if(|above| above.start() + above.length > block.start()) {
                block = Block {
                    sum: above.sum + block.sum - above.length * block.size as f64,
                    size: above.size + block.size,
                    length: above.length + block.length,
                };
            }
            blocks.push(block);
        }
        let mut rest = order.iter();
        for block in blocks {
            let mut y = block.start();
            for place in rest.by_ref().take(block.size) {
                let height = self.places[*place].height + GAP;
                self.places[*place].y = y + height / 2.0;
                y += height;
            }
        }
    }

    fn draw(
        &self,
        edges: &[Edge],
        names: &[Node],
        layers: &[usize],
        chains: &[(Vec<usize>, usize)],
        ends: impl Fn(usize) -> ((usize, usize), bool),
    ) -> Layout {
        let top = self.places.iter().map(|place| place.y - place.height / 2.0).fold(f64::INFINITY, f64::min) - MARGIN;
        let bottom = self.places.iter().map(|place| place.y + place.height / 2.0).fold(f64::NEG_INFINITY, f64::max) + MARGIN;
        let pitch = NODE_WIDTH + LABEL_WIDTH + 2.0 * GUTTER;
        let left = |layer: usize| MARGIN + layer as f64 * pitch;
        let y = |place: usize| tenth(self.places[place].y - top);
        let nodes = names.iter().zip(layers).enumerate().map(|(index, (node, layer))| PlacedNode {
            node: node.clone(),
            layer: *layer,
            x: left(*layer),
            y: tenth(y(index) - NODE_HEIGHT / 2.0),
        });
        let placed = edges.iter().zip(chains).enumerate().map(|(index, (edge, (chain, label)))| {
            let ((from, to), is_turned) = ends(index);
            let mut points = vec![(left(layers[from]) + NODE_WIDTH, y(from))];
            let mut at_label = (0.0, 0.0);
            for (step, place) in chain.iter().enumerate() {
                let layer = layers[from] + step.div_ceil(2);
                if step.is_multiple_of(2) {
                    let middle = left(layer) + NODE_WIDTH + GUTTER + LABEL_WIDTH / 2.0;
                    points.push((middle, y(*place)));
                    at_label = if place == label { (middle, y(*place)) } else { at_label };
                } else {
                    // Level past the nodes of the layer, so as to touch none.
                    points.push((left(layer), y(*place)));
                    points.push((left(layer) + NODE_WIDTH, y(*place)));
                }
            }
            points.push((left(layers[to]), y(to)));
            if is_turned {
                points.reverse();
            }
            PlacedEdge { edge: edge.clone(), points, label: at_label }
        });
        let last = layers.iter().max().copied().unwrap_or(0);
        let height = if names.is_empty() { 0.0 } else { tenth(bottom - top) };
        let width = left(last) + NODE_WIDTH + MARGIN;
        Layout { width, height, nodes: nodes.collect(), edges: placed.collect() }
    }
}

fn tenth(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests;
