//! Reads a state machine's definition as Step Functions would. The local cloud takes broken ones without a word.
//!
//! Stricter than AWS where the house is: JSONata only, a reason for every state, a limit for every task, a default for every
//! choice, and an error that is our own fault is neither retried nor caught.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Errors that end an execution: our own fault, and the names that would swallow it along with others.
const NEVER_HANDLED: [&str; 3] = ["Defect", "States.ALL", "States.TaskFailed"];

/// By which a wait hands out its token.
pub(crate) const WAIT: &str = ".waitForTaskToken";

/// Everything that is wrong with a definition, a sentence each.
pub(crate) fn check(definition: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    if definition["QueryLanguage"] != "JSONata" {
        findings.push("the definition has no `\"QueryLanguage\": \"JSONata\"`".to_owned());
    }
    if definition["Comment"].as_str().is_none_or(str::is_empty) {
        findings.push("the definition has no Comment: say what it follows".to_owned());
    }
    machine(
        "the definition",
        definition,
        &[
            "Comment",
            "QueryLanguage",
            "StartAt",
            "States",
            "TimeoutSeconds",
            "Version",
        ],
        &mut findings,
    );
    findings
}

/// Names of the states that a state may go on to.
pub(crate) fn targets(state: &Value) -> Vec<&str> {
    let listed = |field: &str| {
        state[field]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item["Next"].as_str())
    };
    let single = ["Next", "Default"]
        .into_iter()
        .filter_map(|field| state[field].as_str());
    single
        .chain(listed("Choices"))
        .chain(listed("Catch"))
        .collect()
}

/// Names in `${...}` anywhere in a definition.
pub(crate) fn substitutions(definition: &Value) -> BTreeSet<String> {
    let text = definition.to_string();
    crate::source::between(&text, "${", "}")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn machine(place: &str, machine: &Value, fields: &[&str], findings: &mut Vec<String>) {
    only(place, machine, fields, findings);
    let Some(states) = machine["States"].as_object() else {
        findings.push(format!("{place} has no States"));
        return;
    };
    let start = machine["StartAt"].as_str().unwrap_or_default();
    if !states.contains_key(start) {
        findings.push(format!("{place}: StartAt `{start}` is no state"));
    }
    for (name, state) in states {
        let place = format!("state `{name}`");
        for target in targets(state)
            .into_iter()
            .filter(|target| !states.contains_key(*target))
        {
            findings.push(format!("{place} goes on to `{target}`, which is no state"));
        }
        check_state(&place, name, state, findings);
    }
    let reached = reached(start, states);
    let lost = states
        .keys()
        .filter(|name| !reached.contains(name.as_str()));
    findings.extend(
        lost.map(|name| format!("state `{name}` is never reached: remove it, or lead to it")),
    );
}

fn reached<'s>(start: &'s str, states: &'s Map<String, Value>) -> BTreeSet<&'s str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(name) = open.pop() {
        if let Some(state) = states.get(name)
            && reached.insert(name)
        {
            open.extend(targets(state));
        }
    }
    reached
}

fn check_state(place: &str, name: &str, state: &Value, findings: &mut Vec<String>) {
    let kind = state["Type"].as_str().unwrap_or_default();
    let Some(own) = fields_of(kind) else {
        findings.push(format!("{place}: Type `{kind}` does not exist"));
        return;
    };
    let mut fields = vec!["Type", "Comment"];
    fields.extend(own);
    only(place, state, &fields, findings);
    if name.chars().count() > 80 {
        findings.push(format!("{place}: a name has at most 80 characters"));
    }
    if state["Comment"].as_str().is_none_or(str::is_empty) {
        findings.push(format!("{place} has no Comment: say why it is there"));
    }
    if own.contains(&"Next") && state.get("Next").is_some() == state.get("End").is_some() {
        findings.push(format!("{place} needs either Next or `\"End\": true`"));
    }
    if state
        .get("End")
        .is_some_and(|end| *end != Value::Bool(true))
    {
        findings.push(format!("{place}: End can only be true"));
    }
    match kind {
        "Task" => task(place, state, findings),
        "Choice" => choice(place, state, findings),
        "Wait" if state.get("Seconds").is_some() == state.get("Timestamp").is_some() => {
            findings.push(format!("{place} needs either Seconds or Timestamp"));
        }
        "Parallel" => {
            for (index, branch) in list(place, state, "Branches", findings).iter().enumerate() {
                machine(
                    &format!("{place}, branch {index}"),
                    branch,
                    &["Comment", "StartAt", "States"],
                    findings,
                );
            }
        }
        "Map" => machine(
            &format!("{place}, its ItemProcessor"),
            &state["ItemProcessor"],
            &["Comment", "ProcessorConfig", "StartAt", "States"],
            findings,
        ),
        _ => {}
    }
    handlers(place, state, findings);
    expressions(place, state, findings);
}

/// The fields of a state besides Type and Comment, as the Amazon States Language has them for JSONata.
fn fields_of(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Task" => &[
            "Next",
            "End",
            "Assign",
            "Output",
            "Arguments",
            "Catch",
            "Credentials",
            "HeartbeatSeconds",
            "Resource",
            "Retry",
            "TimeoutSeconds",
        ],
        "Choice" => &["Choices", "Default", "Assign", "Output"],
        "Pass" => &["Next", "End", "Assign", "Output"],
        "Wait" => &["Next", "End", "Assign", "Output", "Seconds", "Timestamp"],
        "Succeed" => &["Output"],
        "Fail" => &["Error", "Cause"],
        "Parallel" => &[
            "Next",
            "End",
            "Assign",
            "Output",
            "Arguments",
            "Branches",
            "Catch",
            "Retry",
        ],
        "Map" => &[
            "Next",
            "End",
            "Assign",
            "Output",
            "Catch",
            "ItemBatcher",
            "ItemProcessor",
            "ItemReader",
            "ItemSelector",
            "Items",
            "Label",
            "MaxConcurrency",
            "ResultWriter",
            "Retry",
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
        ],
        _ => return None,
    })
}

fn task(place: &str, state: &Value, findings: &mut Vec<String>) {
    let resource = state["Resource"].as_str().unwrap_or_default();
    if resource.is_empty() {
        findings.push(format!("{place} has no Resource"));
    }
    // As an expression it is ignored by the local cloud, and then untested.
    let Some(limit) = state["TimeoutSeconds"]
        .as_u64()
        .filter(|limit| (1..100_000_000).contains(limit))
    else {
        findings.push(format!(
            "{place} needs TimeoutSeconds, a whole number from 1 to 99999999"
        ));
        return;
    };
    if state.get("HeartbeatSeconds").is_some_and(|heartbeat| {
        heartbeat
            .as_u64()
            .is_none_or(|heartbeat| heartbeat >= limit)
    }) {
        findings.push(format!(
            "{place}: HeartbeatSeconds must be a number below TimeoutSeconds"
        ));
    }
    if resource.ends_with(WAIT)
        && !state["Arguments"]
            .to_string()
            .contains("$states.context.Task.Token")
    {
        findings.push(format!(
            "{place} waits for a token that it gives to nobody: pass $states.context.Task.Token"
        ));
    }
}

fn choice(place: &str, state: &Value, findings: &mut Vec<String>) {
    if state.get("Default").is_none() {
        findings.push(format!(
            "{place} has no Default: what nobody foresaw would end the execution without a reason"
        ));
    }
    for rule in list(place, state, "Choices", findings) {
        let place = format!("{place}, a choice");
        only(
            &place,
            rule,
            &["Assign", "Comment", "Condition", "Next", "Output"],
            findings,
        );
        if rule["Condition"]
            .as_str()
            .is_none_or(|condition| !condition.starts_with("{%"))
        {
            findings.push(format!("{place} needs a Condition in `{{% %}}`"));
        }
        if rule["Next"].as_str().is_none() {
            findings.push(format!("{place} has no Next"));
        }
    }
}

fn handlers(place: &str, state: &Value, findings: &mut Vec<String>) {
    let retry: &[&str] = &[
        "BackoffRate",
        "Comment",
        "ErrorEquals",
        "IntervalSeconds",
        "JitterStrategy",
        "MaxAttempts",
        "MaxDelaySeconds",
    ];
    for (field, fields) in [
        ("Retry", retry),
        (
            "Catch",
            &["Assign", "Comment", "ErrorEquals", "Next", "Output"],
        ),
    ] {
        for handler in state
            .get(field)
            .map(|_| list(place, state, field, findings))
            .unwrap_or_default()
        {
            let place = format!("{place}, {field}");
            only(&place, handler, fields, findings);
            for error in list(&place, handler, "ErrorEquals", findings)
                .iter()
                .map(|error| error.as_str().unwrap_or_default())
            {
                if NEVER_HANDLED.contains(&error) {
                    findings.push(format!("{place} names `{error}`: a defect ends the execution, name the errors one by one"));
                }
            }
            if field == "Catch" && handler["Next"].as_str().is_none() {
                findings.push(format!("{place} has no Next"));
            }
        }
    }
}

/// A list that must be there and hold something.
fn list<'v>(place: &str, value: &'v Value, field: &str, findings: &mut Vec<String>) -> &'v [Value] {
    let items = value[field]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if items.is_empty() {
        findings.push(format!("{place}: {field} is empty"));
    }
    items
}

fn only(place: &str, value: &Value, fields: &[&str], findings: &mut Vec<String>) {
    let unknown = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, _)| field)
        .filter(|field| !fields.contains(&field.as_str()));
    findings
        .extend(unknown.map(|field| format!("{place}: the field `{field}` does not exist here")));
}

fn expressions(place: &str, value: &Value, findings: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            findings.extend(unbalanced(text).map(|why| format!("{place}: {why} in `{text}`")))
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| expressions(place, item, findings)),
        // States inside a state are looked at on their own.
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "States")
            .for_each(|(_, member)| expressions(place, member, findings)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Why a text is not an expression although it looks like one.
fn unbalanced(text: &str) -> Option<&'static str> {
    if !text.contains("{%") && !text.contains("%}") {
        return None;
    }
    let Some(expression) = text
        .strip_prefix("{%")
        .and_then(|rest| rest.strip_suffix("%}"))
    else {
        return Some("an expression begins with `{%` and ends with `%}`, with nothing around it");
    };
    if expression.contains("{%") || expression.contains("%}") {
        return Some("an expression inside an expression");
    }
    if expression.trim().is_empty() {
        return Some("an empty expression");
    }
    let mut open = Vec::new();
    let mut letters = expression.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(letter) => {
                return Some("a bracket that was not opened");
            }
            '\'' | '"' | '`' => loop {
                match letters.next() {
                    None => return Some("a quote that is not closed"),
                    Some('\\') => {
                        letters.next();
                    }
                    Some(end) if end == letter => break,
                    Some(_) => {}
                }
            },
            _ => {}
        }
    }
    (!open.is_empty()).then_some("a bracket that is not closed")
}

mod tests {
    use serde_json::{Value, json};

    use super::{check, substitutions};

    fn sound() -> Value {
        json!({
            "Comment": "A document.", "QueryLanguage": "JSONata", "StartAt": "Do",
            "States": {
                "Do": {
                    "Type": "Task", "Comment": "Why.", "Resource": "${DoArn}", "TimeoutSeconds": 90, "Next": "Which",
                    "Arguments": {"lifecycle": "{% $states.context.Execution.Input.lifecycle %}"},
                    "Retry": [{"ErrorEquals": ["Retryable"], "MaxAttempts": 2}],
                    "Catch": [{"ErrorEquals": ["BusinessException"], "Next": "Ask"}]
                },
                "Ask": {
                    "Type": "Task", "Comment": "Why.", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 90,
                    "Arguments": {"FunctionName": "${AskArn}", "Payload": {"token": "{% $states.context.Task.Token %}"}}, "Next": "Which"
                },
                "Which": {
                    "Type": "Choice", "Comment": "Why.", "Default": "Done",
                    "Choices": [{"Condition": "{% $states.input.next = 'Do' %}", "Next": "Do"}]
                },
                "Done": {"Type": "Succeed", "Comment": "Why."}
            }
        })
    }

    /// The findings after one value was put at a pointer, or taken away there.
    fn after(pointer: &str, value: Option<Value>) -> String {
        let mut definition = sound();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let parent = definition
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap();
        match value {
            Some(value) => parent.insert(field.to_owned(), value),
            None => parent.remove(field),
        };
        check(&definition).join("\n")
    }

    #[track_caller]
    fn refused(pointer: &str, value: Option<Value>, why: &str) {
        let findings = after(pointer, value);
        assert!(
            findings.contains(why),
            "`{why}` expected, found: {findings}"
        );
    }

    #[test]
    fn a_sound_definition_has_no_findings() {
        assert_eq!(check(&sound()), Vec::<String>::new());
    }

    #[test]
    fn a_start_that_is_no_state_is_refused() {
        refused(
            "/StartAt",
            Some(json!("Begin")),
            "StartAt `Begin` is no state",
        );
        refused("/StartAt", None, "StartAt `` is no state");
    }

    #[test]
    fn a_target_that_is_no_state_is_refused_wherever_it_is_named() {
        refused(
            "/States/Do/Next",
            Some(json!("Gone")),
            "state `Do` goes on to `Gone`",
        );
        refused(
            "/States/Which/Default",
            Some(json!("Gone")),
            "state `Which` goes on to `Gone`",
        );
        refused(
            "/States/Do/Catch/0/Next",
            Some(json!("Gone")),
            "state `Do` goes on to `Gone`",
        );
        refused(
            "/States/Which/Choices/0/Next",
            Some(json!("Gone")),
            "state `Which` goes on to `Gone`",
        );
    }

    #[test]
    fn a_state_that_is_never_reached_is_refused() {
        refused(
            "/States/Lost",
            Some(json!({"Type": "Succeed", "Comment": "Why."})),
            "state `Lost` is never reached",
        );
        refused("/States/Do/Catch", None, "state `Ask` is never reached");
    }

    #[test]
    fn a_state_without_a_reason_is_refused() {
        refused("/States/Done/Comment", None, "state `Done` has no Comment");
        refused(
            "/States/Done/Comment",
            Some(json!("")),
            "state `Done` has no Comment",
        );
        refused("/Comment", None, "the definition has no Comment");
    }

    #[test]
    fn a_task_without_a_limit_in_numbers_is_refused() {
        refused(
            "/States/Do/TimeoutSeconds",
            None,
            "state `Do` needs TimeoutSeconds",
        );
        refused(
            "/States/Do/TimeoutSeconds",
            Some(json!("{% 90 %}")),
            "state `Do` needs TimeoutSeconds",
        );
        refused(
            "/States/Do/TimeoutSeconds",
            Some(json!(0)),
            "state `Do` needs TimeoutSeconds",
        );
        refused(
            "/States/Do/HeartbeatSeconds",
            Some(json!(90)),
            "HeartbeatSeconds must be a number below",
        );
    }

    #[test]
    fn a_wait_that_gives_its_token_to_nobody_is_refused() {
        refused(
            "/States/Ask/Arguments",
            Some(json!({"FunctionName": "${AskArn}"})),
            "gives to nobody",
        );
    }

    #[test]
    fn a_field_that_the_state_does_not_have_is_refused() {
        refused(
            "/States/Do/InputPath",
            Some(json!("$")),
            "the field `InputPath` does not exist here",
        );
        refused(
            "/States/Do/TimeOutSeconds",
            Some(json!(90)),
            "the field `TimeOutSeconds`",
        );
        refused("/States/Done/Assign", Some(json!({})), "the field `Assign`");
        refused(
            "/States/Which/Next",
            Some(json!("Done")),
            "the field `Next`",
        );
        refused(
            "/States/Do/Retry/0/Interval",
            Some(json!(1)),
            "the field `Interval`",
        );
        refused(
            "/States/Do/Catch/0/ResultPath",
            Some(json!("$")),
            "the field `ResultPath`",
        );
        refused(
            "/States/Which/Choices/0/Variable",
            Some(json!("$.next")),
            "the field `Variable`",
        );
        refused("/Start", Some(json!("Do")), "the field `Start`");
        refused(
            "/States/Done/Type",
            Some(json!("Success")),
            "Type `Success` does not exist",
        );
        refused(
            "/QueryLanguage",
            Some(json!("JSONPath")),
            "\"QueryLanguage\": \"JSONata\"",
        );
    }

    #[test]
    fn a_state_that_neither_goes_on_nor_ends_is_refused() {
        refused("/States/Do/Next", None, "state `Do` needs either Next");
        refused(
            "/States/Do/End",
            Some(json!(true)),
            "state `Do` needs either Next",
        );
        refused("/States/Do/End", Some(json!(false)), "End can only be true");
    }

    #[test]
    fn a_choice_without_a_default_or_a_condition_is_refused() {
        refused(
            "/States/Which/Default",
            None,
            "state `Which` has no Default",
        );
        refused("/States/Which/Choices", Some(json!([])), "Choices is empty");
        refused(
            "/States/Which/Choices/0/Condition",
            Some(json!("$states.input.next = 'Do'")),
            "needs a Condition",
        );
        refused("/States/Which/Choices/0/Next", None, "a choice has no Next");
    }

    #[test]
    fn a_defect_is_neither_retried_nor_caught_under_any_name() {
        for name in ["Defect", "States.ALL", "States.TaskFailed"] {
            refused("/States/Do/Catch/0/ErrorEquals", Some(json!([name])), name);
            refused(
                "/States/Do/Retry/0/ErrorEquals",
                Some(json!(["Retryable", name])),
                name,
            );
        }
        refused(
            "/States/Do/Retry/0/ErrorEquals",
            Some(json!([])),
            "ErrorEquals is empty",
        );
    }

    #[test]
    fn an_expression_that_is_not_closed_is_refused() {
        for (text, why) in [
            ("{% $x", "begins with"),
            (" {% $x %}", "begins with"),
            ("$x %}", "begins with"),
            ("id {% $x %}", "begins with"),
            ("{% %}", "an empty expression"),
            ("{% $f($x %}", "a bracket that is not closed"),
            ("{% $x) %}", "a bracket that was not opened"),
            ("{% [$x} %}", "a bracket that was not opened"),
            ("{% $x = 'a %}", "a quote that is not closed"),
            ("{% {% $x %} %}", "an expression inside"),
        ] {
            refused("/States/Do/Arguments", Some(json!({"deep": [text]})), why);
        }
        assert_eq!(
            after(
                "/States/Do/Arguments",
                Some(json!("{% {'a': $x[0] & ')' & '\\''} %}"))
            ),
            ""
        );
    }

    #[test]
    fn states_inside_a_state_are_looked_at_too() {
        let inner = json!({"StartAt": "In", "States": {"In": {"Type": "Pass", "Comment": "Why.", "Next": "Gone"}}});
        let parallel =
            json!({"Type": "Parallel", "Comment": "Why.", "Branches": [inner], "Next": "Done"});
        refused(
            "/States/Ask",
            Some(parallel),
            "state `In` goes on to `Gone`",
        );
        let map = json!({"Type": "Map", "Comment": "Why.", "ItemProcessor": inner, "Next": "Done"});
        refused("/States/Ask", Some(map), "state `In` goes on to `Gone`");
    }

    #[test]
    fn substitutions_are_found_wherever_they_stand() {
        assert_eq!(
            substitutions(&sound()).into_iter().collect::<Vec<_>>(),
            ["AskArn", "DoArn"]
        );
    }
}
