use super::*;

/// Output, errors, and whether all went well.
fn fed(input: &[u8]) -> (String, String, bool) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let result = answer(input, &mut output, &mut errors);
    (String::from_utf8(output).unwrap(), String::from_utf8(errors).unwrap(), result.is_ok())
}

fn lines(input: &str) -> Vec<serde_json::Value> {
    let (output, errors, well) = fed(input.as_bytes());
    assert_eq!((errors.as_str(), well), ("", true));
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_line_per_statement_with_all_that_is_known() {
    let sql = r#"/*route='/u'*/ SELECT * FROM "users" WHERE id = 42; -- name: Ping :exec\nselect 1"#;
    let got = lines(&format!(
        "{{\"id\":[1,{{}}],\"sql\":{}}}\n\n",
        sql.replace('"', "\\\"").replacen("/*", "\"/*", 1) + "\""
    ));
    assert_eq!(
        got[0],
        serde_json::json!({
            "id": [1, {}], "query_hash": "7609165d94c8f1be", "query": "select * from users where id = $1",
            "kind": "select", "class": "data", "tables": ["users"], "summary": "SELECT users", "name": null,
            "tags": {"route": "/u"},
        })
    );
    assert_eq!((&got[1]["name"], &got[1]["class"], &got[1]["id"]), (&"Ping".into(), &"probe".into(), &got[0]["id"]));
    assert_eq!(got.len(), 2);
}

#[test]
fn an_empty_text_has_no_hash_and_an_empty_statement_has_one() {
    for (sql, hash) in [
        ("", None),
        (" \\n", None),
        (";", Some("e3b0c44298fc1c14")),
        ("-- nothing", Some("e3b0c44298fc1c14")),
        ("/* a */ ;;", Some("e3b0c44298fc1c14")),
    ] {
        let got = lines(&format!("{{\"id\":null,\"sql\":\"{sql}\"}}"));
        assert_eq!((got[0]["query_hash"].as_str(), got.len()), (hash, 1), "{sql}");
        assert_eq!((&got[0]["class"], &got[0]["query"]), (&"probe".into(), &"".into()), "{sql}");
    }
}

#[test]
fn an_id_is_echoed_as_it_was_written() {
    let (output, ..) = fed(b"{\"id\": 123456789012345678901234567890.50,\"sql\":\"begin\"}");
    assert!(output.starts_with("{\"id\":123456789012345678901234567890.50,"), "{output}");
    let (output, ..) = fed(b"{\"sql\":\"begin\"}");
    assert!(output.starts_with("{\"id\":null,"), "{output}");
}

#[test]
fn a_bad_line_is_named_and_the_others_are_answered() {
    let (output, errors, well) =
        fed(b"{\"id\":1,\"sql\":\"begin\"}\nnonsense\n{\"id\":2}\n{\"id\":3,\"sql\":\"\xff\"}\n[]\n{\"id\":4,\"sql\":\"commit\"}\r\n");
    assert_eq!(output.lines().count(), 2);
    let named: Vec<_> = errors.lines().filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(named, ["line 2", "line 3", "line 4", "line 5"]);
    assert!(!well);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let line = b"{\"id\":1,\"sql\":\"begin\"}\n";
    assert!(answer(&line[..], Closed, io::sink()).is_ok());
}
