//! Window expressions and frames.

use firesteel_functions::error::SparkResult;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{Expr, ExprKind, FrameBound, WindowFrame, WindowRef, WindowSpec};
use sc::expression::Window;
use sc::expression::window;
use sc::expression::window::window_frame::frame_boundary::Boundary;
use sc::expression::window::window_frame::{FrameBoundary, FrameType};

use super::{Decoder, bad_enum, invalid, unset};

impl Decoder<'_> {
    pub(super) fn window(&self, window: Window) -> SparkResult<Expr> {
        let function = match window.window_function {
            Some(function) => self.expr(*function)?,
            None => return Err(invalid("WINDOW_FUNCTION_REQUIRED", &[])),
        };
        let spec = WindowSpec {
            base: None,
            partition_by: self.exprs(window.partition_spec)?,
            order_by: window.order_spec.into_iter().map(|order| self.sort_order(order)).collect::<SparkResult<_>>()?,
            frame: window.frame_spec.map(|frame| self.frame(*frame)).transpose()?,
        };
        Ok(ExprKind::Window { function, window: WindowRef::Spec(spec) }.into())
    }

    fn frame(&self, frame: window::WindowFrame) -> SparkResult<WindowFrame> {
        let rows = match frame.frame_type() {
            FrameType::Row => true,
            FrameType::Range => false,
            FrameType::Undefined => {
                return Err(bad_enum("Expression.Window.WindowFrame", "frame_type", frame.frame_type));
            }
        };
        let lower = frame.lower.ok_or_else(|| invalid("LOWER_BOUND_REQUIRED_IN_WINDOW_FRAME", &[]))?;
        let upper = frame.upper.ok_or_else(|| invalid("UPPER_BOUND_REQUIRED_IN_WINDOW_FRAME", &[]))?;
        Ok(WindowFrame {
            rows,
            lower: self.bound(*lower, FrameBound::UnboundedPreceding)?,
            upper: self.bound(*upper, FrameBound::UnboundedFollowing)?,
        })
    }

    fn bound(&self, boundary: FrameBoundary, unbounded: FrameBound) -> SparkResult<FrameBound> {
        Ok(match boundary.boundary.ok_or_else(|| unset("Expression.Window.WindowFrame.FrameBoundary", "boundary"))? {
            Boundary::CurrentRow(_) => FrameBound::CurrentRow,
            Boundary::Unbounded(_) => unbounded,
            Boundary::Value(value) => FrameBound::Offset(self.expr(*value)?),
        })
    }
}
