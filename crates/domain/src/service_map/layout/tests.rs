//! Properties of drawings, over any map.

use proptest::prelude::*;

use super::super::EdgeKind;
use super::*;

fn edge(kind: EdgeKind, caller: &str, callee: &str) -> Edge {
    let (caller, callee) = (caller.to_owned(), callee.to_owned());
    Edge { kind, caller, callee, count: 1, rate_per_second: 1.0, errors: 0, error_ratio: 0.0, p95_ms: 1.0 }
}

/// Maps with up to 60 nodes, cycles and pairs in both directions included.
fn maps() -> impl Strategy<Value = Vec<Edge>> {
    proptest::collection::btree_set((0_u8..30, 0_u8..30, 0_usize..5), 1..90).prop_map(|drawn| {
        drawn
            .into_iter()
            .filter(|(from, to, _)| from != to)
            .map(|(from, to, kind)| edge(EdgeKind::ALL[kind], &format!("n{from}"), &format!("n{to}")))
            .collect()
    })
}

fn overlap(a: (f64, f64, f64, f64), b: (f64, f64, f64, f64)) -> bool {
    a.0 < b.0 + b.2 && b.0 < a.0 + a.2 && a.1 < b.1 + b.3 && b.1 < a.1 + a.3
}

proptest! {
    #[test]
    fn c7_no_two_nodes_or_labels_overlap_and_all_lie_inside(edges in maps()) {
        let drawing = layout(&edges);
        let nodes = drawing.nodes.iter().map(|node| (node.x, node.y, NODE_WIDTH, NODE_HEIGHT));
        let labels = drawing
            .edges
            .iter()
            .map(|edge| (edge.label.0 - LABEL_WIDTH / 2.0, edge.label.1 - LABEL_HEIGHT / 2.0, LABEL_WIDTH, LABEL_HEIGHT));
        let boxes: Vec<_> = nodes.chain(labels).collect();
        prop_assert_eq!(boxes.len(), super::super::nodes(&edges).len() + edges.len());
        for (index, a) in boxes.iter().enumerate() {
            prop_assert!(a.0 >= 0.0 && a.1 >= 0.0 && a.0 + a.2 <= drawing.width && a.1 + a.3 <= drawing.height, "{:?}", a);
            for b in &boxes[index + 1..] {
                prop_assert!(!overlap(*a, *b), "{:?} {:?}", a, b);
            }
        }
    }

    #[test]
    fn c7_every_edge_joins_two_layers_past_all_other_nodes(edges in maps()) {
        let drawing = layout(&edges);
        let at = |node: Node| drawing.nodes.iter().find(|placed| placed.node == node).expect("every end is placed");
        for (drawn, edge) in drawing.edges.iter().zip(&edges) {
            prop_assert_eq!(&drawn.edge, edge);
            let (from, to) = (at(edge.from()), at(edge.to()));
            prop_assert_ne!(from.layer, to.layer);
            let (first, last) = (drawn.points[0], drawn.points[drawn.points.len() - 1]);
            prop_assert!((first.1 - from.y - NODE_HEIGHT / 2.0).abs() < 0.2 && (last.1 - to.y - NODE_HEIGHT / 2.0).abs() < 0.2);
            let left_to_right = from.layer < to.layer;
            let begin = if left_to_right { from.x + NODE_WIDTH } else { from.x };
            let end = if left_to_right { to.x } else { to.x + NODE_WIDTH };
            prop_assert!((first.0 - begin).abs() < 0.2 && (last.0 - end).abs() < 0.2);
            prop_assert!(drawn.points.contains(&drawn.label));
            for (x, y) in &drawn.points[1..drawn.points.len() - 1] {
                let hit = drawing.nodes.iter().any(|n| (n.x..=n.x + NODE_WIDTH).contains(x) && (n.y..=n.y + NODE_HEIGHT).contains(y));
                prop_assert!(!hit, "{:?} runs over a node", edge);
            }
        }
    }

    #[test]
    fn c7_the_order_of_edges_moves_no_node(edges in maps()) {
        let mut other = edges.clone();
        other.reverse();
        let layers = |edges: &[Edge]| layout(edges).nodes.into_iter().map(|node| (node.node, node.layer)).collect::<Vec<_>>();
        prop_assert_eq!(layers(&edges), layers(&other));
        prop_assert_eq!(layout(&edges), layout(&edges));
    }
}

#[test]
fn c7_callers_stand_left_of_callees() {
    let edges = [
        edge(EdgeKind::Call, "web", "cart"),
        edge(EdgeKind::Call, "web", "pay"),
        edge(EdgeKind::Call, "cart", "pay"),
        edge(EdgeKind::Database, "pay", "postgresql pay"),
        edge(EdgeKind::Send, "pay", "kafka paid"),
        edge(EdgeKind::Receive, "kafka paid", "web"),
    ];
    let drawing = layout(&edges);
    let layers: BTreeMap<&str, usize> = drawing.nodes.iter().map(|node| (node.node.name.as_str(), node.layer)).collect();
    // Everything is on one cycle but the database: it begins with the first node by kind and name.
    assert_eq!(layers, [("cart", 0), ("kafka paid", 2), ("pay", 1), ("postgresql pay", 2), ("web", 3)].into());
    assert_eq!(layout(&[]).nodes, []);
}
