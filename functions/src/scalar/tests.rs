//! Kernels by example: a function's name, its arguments, and the text of its result.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Int32Array, StringArray};
use arrow::datatypes::Field;
use datafusion::common::ScalarValue;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs};

fn call(name: &str, args: &[ScalarValue]) -> String {
    let udf = crate::registry().scalar(name).unwrap();
    let types: Vec<_> = args.iter().map(ScalarValue::data_type).collect();
    let types = udf.coerce_types(&types).unwrap();
    let args: Vec<ScalarValue> = args.iter().zip(&types).map(|(a, t)| a.cast_to(t).unwrap()).collect();
    let arg_fields: Vec<_> = types.iter().map(|t| Arc::new(Field::new("", t.clone(), true))).collect();
    let scalar_arguments: Vec<_> = args.iter().map(Some).collect();
    let return_field = udf
        .return_field_from_args(ReturnFieldArgs { arg_fields: &arg_fields, scalar_arguments: &scalar_arguments })
        .unwrap();
    let out = udf
        .invoke_with_args(ScalarFunctionArgs {
            args: args.iter().cloned().map(ColumnarValue::Scalar).collect(),
            arg_fields,
            number_rows: 1,
            return_field,
            config_options: Arc::new(ConfigOptions::default()),
        })
        .unwrap();
    let ColumnarValue::Scalar(value) = out else { panic!("{name} lost its constant") };
    value.to_string()
}

#[test]
fn strings_and_numbers() {
    let s = |text: &str| ScalarValue::from(text);
    let i = |n: i32| ScalarValue::from(n);
    let cases = [
        ("substring", vec![s("Spark SQL"), i(-3)], "SQL"),
        ("instr", vec![s("abcabc"), s("b"), i(-1), i(1)], "5"),
        ("lpad", vec![s("hi"), i(5), s("??")], "???hi"),
        ("mask", vec![s("AbCD123-@$#"), s("Q"), s("q")], "QqQQnnn-@$#"),
        ("split_part", vec![s("11.12.13"), s("."), i(3)], "13"),
        ("regexp_replace", vec![s("100-200"), s("(\\d+)"), s("<$1>")], "<100>-<200>"),
        ("conv", vec![s("-10"), i(16), i(-10)], "-16"),
        ("factorial", vec![i(5)], "120"),
        ("next_day", vec![s("2015-01-14"), s("TU")], "2015-01-20"),
        ("get_json_object", vec![s("[{\"a\":\"b\"},{\"a\":\"c\"}]"), s("$[*].a")], "[\"b\",\"c\"]"),
    ];
    for (name, args, expected) in cases {
        assert_eq!(call(name, &args), expected, "{name}");
    }
}

fn invoke(name: &str, args: Vec<ColumnarValue>, rows: usize) -> Result<ArrayRef, String> {
    let udf = crate::registry().scalar(name).unwrap();
    let arg_fields: Vec<_> = args.iter().map(|arg| Arc::new(Field::new("", arg.data_type(), true))).collect();
    let scalar_arguments = vec![None; args.len()];
    let return_field = udf
        .return_field_from_args(ReturnFieldArgs { arg_fields: &arg_fields, scalar_arguments: &scalar_arguments })
        .unwrap();
    let config_options = Arc::new(ConfigOptions::default());
    let out =
        udf.invoke_with_args(ScalarFunctionArgs { args, arg_fields, number_rows: rows, return_field, config_options });
    out.and_then(|out| out.into_array(rows)).map_err(|error| error.to_string())
}

#[test]
fn constants_and_slices_answer_as_columns_do() {
    let text = |values: [Option<&str>; 6]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let words = text([Some(" a b  c "), None, Some(""), Some("grüße"), Some("a.b.a"), Some("xyx")]);
    let marks = text([Some(" "), Some("ü"), Some("."), None, Some("a"), Some("")]);
    let with = text([Some("-"), Some(""), None, Some("xy"), Some("é"), Some("b")]);
    let numbers = Arc::new(Int32Array::from(vec![Some(1), Some(2), Some(-1), Some(3), None, Some(-2)])) as ArrayRef;
    let days = |values: [Option<i32>; 6]| Arc::new(Date32Array::from(values.to_vec())) as ArrayRef;
    let (from, to) = (
        days([Some(0), Some(i32::MAX), None, Some(-5), Some(7), Some(1)]),
        days([Some(3), Some(-1), Some(2), Some(i32::MIN), None, Some(1)]),
    );
    let cases: [(&str, Vec<ArrayRef>); 12] = [
        ("concat", vec![Arc::clone(&words), Arc::clone(&marks), Arc::clone(&with)]),
        ("trim", vec![Arc::clone(&marks), Arc::clone(&words)]),
        ("btrim", vec![Arc::clone(&words), Arc::clone(&marks)]),
        ("ltrim", vec![Arc::clone(&marks), Arc::clone(&words)]),
        ("rtrim", vec![Arc::clone(&words)]),
        ("replace", vec![Arc::clone(&words), Arc::clone(&marks), Arc::clone(&with)]),
        ("split_part", vec![Arc::clone(&words), Arc::clone(&marks), Arc::clone(&numbers)]),
        ("split", vec![Arc::clone(&words), Arc::clone(&marks)]),
        ("split", vec![Arc::clone(&words), Arc::clone(&marks), Arc::clone(&numbers)]),
        ("regexp_replace", vec![Arc::clone(&words), Arc::clone(&marks), Arc::clone(&with)]),
        ("upper", vec![Arc::clone(&words)]),
        ("datediff", vec![from, to]),
    ];
    for (name, columns) in cases {
        for (start, length) in [(0, 6), (1, 4), (3, 1), (2, 0)] {
            let rows: Vec<ArrayRef> = columns.iter().map(|column| column.slice(start, length)).collect();
            // Copies without an offset.
            let copied: Vec<ArrayRef> =
                rows.iter().map(|rows| arrow::compute::concat(&[rows, &rows.slice(0, 0)]).unwrap()).collect();
            let arrays = |from: &[ArrayRef]| from.iter().cloned().map(ColumnarValue::Array).collect::<Vec<_>>();
            assert_eq!(invoke(name, arrays(&rows), length), invoke(name, arrays(&copied), length), "{name}");
            // Some of the arguments as constants, the same repeated; one stays a column.
            for constants in 1..(1_usize << columns.len()) - 1 {
                for row in 0..6 {
                    let (mut single, mut repeated) = (arrays(&rows), arrays(&rows));
                    for at in (0..columns.len()).filter(|at| constants >> at & 1 == 1) {
                        let value = ScalarValue::try_from_array(&columns[at], row).unwrap();
                        repeated[at] = ColumnarValue::Array(value.to_array_of_size(length).unwrap());
                        single[at] = ColumnarValue::Scalar(value);
                    }
                    assert_eq!(
                        invoke(name, single, length),
                        invoke(name, repeated, length),
                        "{name} {constants:b} {row}"
                    );
                }
            }
        }
    }
}
