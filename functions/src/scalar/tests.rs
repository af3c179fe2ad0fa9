//! Kernels by example: a function's name, its arguments, and the text of its result.

use std::sync::Arc;

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
