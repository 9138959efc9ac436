//! What a sum of terms asks for: along which axis, which products are powers, and which terms are the same for several bases.

use super::output::Unaligned;
use super::powers::{Powered, grouped, oriented};
use super::product::Product;
use super::sum::{Input, Operand, Sum, SumTree, across};
use super::{Axis, Matrix, Plan};
use crate::graph::{Function, Gather, Graph, Op, Term, common_taps, greatest_common_divisor};

/// A sum along one axis.
struct Choice {
    axis: Axis,
    /// The products that are powers.
    powers: Vec<Powered>,
    /// The terms that are the same for bases on end, whose maps have products as rows: they have the products of so many bases.
    blocks: Vec<(Input, Gather, usize)>,
    /// The other terms.
    rest: Vec<Term>,
    cost: usize,
}

/// What a product costs, and what a term costs once, where it is the same for bases on end: its share of a sumcheck, and messages.
const OF_BLOCKS: [usize; 2] = [16, 512];

impl Plan {
    pub(super) fn add_combine(&mut self, graph: &Graph, node: usize, batch: usize) -> Option<()> {
        let Op::Combine { terms, y, .. } = &graph.nodes[node].op else { return None };
        let Matrix { rows, cols, .. } = self.matrices[*y];
        let outputs = self.outputs(node, *y, graph.accumulator_bound(node));
        let Choice { axis, powers, blocks, rest, .. } =
            self.choose(terms, &outputs, (rows, cols), batch)?;
        // A tree has as many columns of every factor.
        let taps = common_taps(&rest)?;
        let (inputs, excess) = self.inputs(&rest, (rows, cols), taps, batch)?;
        let mut trees = Vec::new();
        if !inputs.is_empty() {
            trees.push(self.sum_tree(&inputs, axis, (rows, cols), taps)?);
        }
        if !blocks.is_empty() {
            trees.push(self.block_tree(blocks, axis, (rows, cols))?);
        }
        let powers = powers.iter().map(|powered| self.power(powered, axis, (rows, cols)));
        let powers = powers.collect::<Option<_>>()?;
        let output = self.align(outputs, axis);
        self.sums.push(Sum { output, trees, is_joined: true, powers, excess });
        Some(())
    }

    /// The factors of a tree of terms with as many taps, and what its products have more than the sums, as an exponent of
    /// every base.
    fn inputs(
        &self,
        terms: &[Term],
        size: (usize, usize),
        taps: usize,
        batch: usize,
    ) -> Option<(Vec<Input>, i128)> {
        let mut inputs = Vec::with_capacity(terms.len());
        let mut excess = 0i128;
        for term in terms {
            if let Function::Product { .. } = term.function {
                let product = self.product(term, size, taps, batch)?;
                excess = excess.saturating_add(product.excess());
                inputs.extend(product.parts());
                continue;
            }
            let input = self.input(term, size, taps, batch)?;
            if let Some(pad) = input.of.pad {
                let more = (taps - term.taps) as i128;
                excess = excess.saturating_add(input.exponents.at(pad).saturating_mul(more));
            }
            inputs.push(input);
        }
        Some((inputs, excess))
    }

    /// The axis along which tables, leaves and powers cost less.
    fn choose(
        &self,
        terms: &[Term],
        outputs: &Unaligned,
        size: (usize, usize),
        batch: usize,
    ) -> Option<Choice> {
        let is_product = |term: &&Term| matches!(term.function, Function::Product { .. });
        let products = (0..).zip(terms).filter(|(_, term)| is_product(term));
        let products =
            products.map(|(i, term)| Some((i, self.product(term, size, term.taps, batch)?)));
        let products: Vec<(usize, Product)> = products.collect::<Option<_>>()?;
        let columns = self.along(Axis::Columns, terms, &products, outputs, size, batch)?;
        if !outputs.allows_rows() {
            return Some(columns);
        }
        match self.along(Axis::Rows, terms, &products, outputs, size, batch) {
            Some(rows) if rows.cost < columns.cost => Some(rows),
            _ => Some(columns),
        }
    }

    /// The products and the terms that cost less apart along an axis; `None` where the others cannot be read along it.
    fn along(
        &self,
        axis: Axis,
        terms: &[Term],
        of_terms: &[(usize, Product)],
        outputs: &Unaligned,
        size @ (rows, cols): (usize, usize),
        batch: usize,
    ) -> Option<Choice> {
        let taps = common_taps(terms)?;
        let (products, bases) = match axis {
            Axis::Columns => (rows, cols),
            Axis::Rows => (cols, rows),
        };
        let of_bases = |inputs: &[Input], taps: usize| {
            let costs = inputs.iter().map(|input| input.cost(products, taps));
            costs.fold(0usize, usize::saturating_add).saturating_mul(bases)
        };
        let mut cost = outputs.cost(products).saturating_mul(bases);
        let mut is_apart = vec![false; terms.len()];
        let mut powers = Vec::new();
        for group in grouped(of_terms, axis, size) {
            let in_group: Vec<Term> = group.terms.iter().map(|&i| terms[i].clone()).collect();
            let (inputs, _) = self.inputs(&in_group, size, taps, batch)?;
            let of_power = group.cost(bases, products);
            if of_power < of_bases(&inputs, taps) {
                cost = cost.saturating_add(of_power);
                group.terms.iter().for_each(|&term| is_apart[term] = true);
                powers.push(group);
            }
        }
        let mut blocks = Vec::new();
        for (number, term) in (0..).zip(terms) {
            let Some(of_block @ (input, _, block)) = &self.block(term, axis, size, batch) else {
                continue;
            };
            let [each, once] = OF_BLOCKS;
            let columns = bases / block;
            let apart = input.cost(products, 1).saturating_mul(columns);
            let apart = apart.saturating_add(each.saturating_mul(products)).saturating_add(once);
            if apart < of_bases(core::slice::from_ref(input), taps) {
                cost = cost.saturating_add(apart);
                is_apart[number] = true;
                blocks.push(of_block.clone());
            }
        }
        let rest = terms.iter().zip(&is_apart).filter(|(_, is_apart)| !**is_apart);
        let rest: Vec<Term> = rest.map(|(term, _)| term.clone()).collect();
        let taps = common_taps(&rest)?;
        let (inputs, _) = self.inputs(&rest, size, taps, batch)?;
        let cost = cost.saturating_add(of_bases(&inputs, taps));
        if axis == Axis::Rows {
            for input in &inputs {
                across(input.of.gather.as_ref(), taps)?;
                let with = input.nibbles.as_ref().map(|nibbles| &nibbles.with);
                with.map_or(Some(None), |with| across(with.gather.as_ref(), taps))?;
            }
        }
        Some(Choice { axis, powers, blocks, rest, cost })
    }

    /// A term with its map, products as rows, and how many bases on end it is the same for, if it is for several.
    fn block(
        &self,
        term: &Term,
        axis: Axis,
        size: (usize, usize),
        batch: usize,
    ) -> Option<(Input, Gather, usize)> {
        if term.taps != 1 || matches!(term.function, Function::Product { .. }) {
            return None;
        }
        let input = self.input(term, size, 1, batch)?;
        let (gather, block) = oriented(input.of.gather.as_ref(), axis, size, 1)?;
        (block > 1).then_some((input, gather, block))
    }

    /// The tree of terms that are the same for bases on end: a column for each block of as many as all of them are the same for.
    fn block_tree(
        &mut self,
        terms: Vec<(Input, Gather, usize)>,
        axis: Axis,
        (rows, cols): (usize, usize),
    ) -> Option<SumTree> {
        let (products, bases) = if axis == Axis::Columns { (rows, cols) } else { (cols, rows) };
        let block = terms.iter().map(|(_, _, block)| *block).reduce(greatest_common_divisor)?;
        let input = |(input, gather, _): (Input, Gather, usize)| {
            let (cols, _) = gather.split_taps(block)?;
            let gather = Gather { cols, ..gather };
            let gather = (!gather.is_whole(false)).then_some(gather);
            Some(Input { of: Operand { gather, pad: None, ..input.of }, ..input })
        };
        let inputs = terms.into_iter().map(input).collect::<Option<Vec<_>>>()?;
        let size = (products, bases.checked_div(block)?);
        let tree = self.sum_tree(&inputs, Axis::Columns, size, 1)?;
        Some(SumTree { block, ..tree })
    }
}
