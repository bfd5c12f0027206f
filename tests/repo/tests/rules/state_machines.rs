//! State machine definitions: sound, alike, and in step with the code and the templates.

use std::collections::BTreeSet;

use interplant_domain::lifecycle::{AWAIT, DAYS_PER_GENERATION, SUPERSEDED, Wait};
use interplant_domain::purchase_order::Step;
use serde_json::{Value, json};

use crate::repository::{files_in, read};
use crate::source::{between, product};
use crate::template::{APPLICATION, arn_of, resources, written};
use crate::{asl, report};

/// Errors by which AWS says that a function could not be run, whatever it would have said itself.
const NOT_RUN: [&str; 8] = [
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
];

/// Errors that belong to some steps only: the name, and the code by which a step may raise it.
const OWN: [(&str, &str); 1] = [("MoreToDo", ".close(&input)")];

/// A fact is not applied now, and nothing else waits for that.
const NOT_NOW: [&str; 2] = ["OnHold", "AwaitingFact"];

/// A definition: the lifecycle's name, as in `statemachines/<name>.asl.json`, and what is in it.
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) json: Value,
}

pub(crate) fn definitions() -> Vec<Definition> {
    let files = files_in("statemachines/", ".asl.json");
    assert!(!files.is_empty(), "no definitions in statemachines");
    let read = |path: &String| {
        let text = read(path);
        // A state that is written twice would hide the first one without a word.
        interplant_domain::json::parse(text.as_bytes())
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let name = path
            .trim_start_matches("statemachines/")
            .trim_end_matches(".asl.json");
        Definition {
            name: name.to_owned(),
            json: serde_json::from_str(&text).unwrap(),
        }
    };
    files.iter().map(read).collect()
}

impl Definition {
    fn states(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.json["States"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, state)| (name.as_str(), state))
    }

    /// Tasks that run a function and take its answer: name, state, the function's resource in the template.
    pub(crate) fn steps(&self) -> Vec<(&str, &Value, &str)> {
        let function = |state: &'_ Value| {
            state["Resource"]
                .as_str()
                .and_then(substituted)
                .map(str::to_owned)
        };
        self.states()
            .filter(|(_, state)| function(state).is_some())
            .map(|(name, state)| {
                (
                    name,
                    state,
                    state["Resource"].as_str().and_then(substituted).unwrap(),
                )
            })
            .collect()
    }

    /// Tasks that wait for a token: name, state, the resource of the function that gets it.
    pub(crate) fn waits(&self) -> Vec<(&str, &Value, &str)> {
        self.states()
            .filter(|(_, state)| {
                state["Resource"] == format!("arn:aws:states:::lambda:invoke{}", asl::WAIT)
            })
            .map(|(name, state)| {
                (
                    name,
                    state,
                    state["Arguments"]["FunctionName"]
                        .as_str()
                        .and_then(substituted)
                        .unwrap_or_default(),
                )
            })
            .collect()
    }

    /// Words that a lifecycle's code may say to `WhichStep`.
    fn words(&self) -> Vec<&'static str> {
        let steps = match self.name.as_str() {
            "purchase-order" => Step::ALL.iter().map(|step| step.state_name()),
            other => panic!(
                "statemachines/{other}.asl.json is new: tell `words` in tests/repo which steps its code may ask for"
            ),
        };
        steps.chain([AWAIT, SUPERSEDED]).collect()
    }

    /// The errors of [`OWN`] that a step may raise, by its source.
    fn own_errors(&self, state: &str) -> BTreeSet<&'static str> {
        let source = product(&read(&format!(
            "functions/{}/src/{}.rs",
            self.name,
            snake(state)
        )));
        OWN.iter()
            .filter(|(_, code)| source.contains(code))
            .map(|(name, _)| *name)
            .collect()
    }
}

/// `${PurchaseOrderCreateArn}` names the resource `PurchaseOrderCreate`.
fn substituted(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix("Arn}")
}

/// `MatchInvoice` as `match_invoice`.
fn snake(state: &str) -> String {
    let letter = |letter: char| {
        if letter.is_uppercase() {
            format!("_{}", letter.to_ascii_lowercase())
        } else {
            letter.to_string()
        }
    };
    state
        .chars()
        .map(letter)
        .collect::<String>()
        .trim_start_matches('_')
        .to_owned()
}

fn errors(handler: &Value) -> BTreeSet<&str> {
    handler["ErrorEquals"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn items<'v>(state: &'v Value, field: &str) -> Vec<&'v Value> {
    state[field].as_array().into_iter().flatten().collect()
}

/// The names by which `StepError` reaches Step Functions.
fn error_names() -> BTreeSet<String> {
    let code = product(&read("shared/runtime/src/step.rs"));
    let conversion = between(&code, "impl From<StepError> for Diagnostic", "\n}");
    let names = conversion
        .iter()
        .flat_map(|body| between(body, "=> \"", "\""))
        .map(str::to_owned)
        .collect::<BTreeSet<_>>();
    assert!(
        !names.is_empty(),
        "shared/runtime/src/step.rs: no error names found in `impl From<StepError> for Diagnostic`; mend `error_names`"
    );
    names
}

/// Catches of a step without its own ones, which come first.
fn standard_catches(state: &Value) -> Vec<&Value> {
    items(state, "Catch")
        .into_iter()
        .skip_while(|catch| {
            errors(catch)
                .iter()
                .all(|error| OWN.iter().any(|(own, _)| own == error))
        })
        .collect()
}

#[test]
fn every_definition_is_one_that_step_functions_can_run() {
    for definition in definitions() {
        report(
            &format!("statemachines/{}.asl.json is broken:", definition.name),
            &asl::check(&definition.json),
        );
    }
}

#[test]
fn every_task_is_a_step_or_a_wait() {
    for definition in definitions() {
        let known: BTreeSet<&str> = definition
            .steps()
            .into_iter()
            .chain(definition.waits())
            .map(|(name, ..)| name)
            .collect();
        let others = definition
            .states()
            .filter(|(name, state)| state["Type"] == "Task" && !known.contains(name));
        let findings: Vec<_> = others
            .map(|(name, state)| format!("`{name}`: {}", state["Resource"]))
            .collect();
        report(
            "a Task's Resource is `${<Resource>Arn}`, or the invoke with a task token and such a FunctionName:",
            &findings,
        );
    }
}

#[test]
fn substitutions_and_the_template_name_the_same_functions() {
    let template = written(APPLICATION);
    let functions = resources(&template, &["AWS::Serverless::Function"]);
    let machines = resources(&template, &["AWS::Serverless::StateMachine"]);
    let mut findings = Vec::new();
    let mut uris = BTreeSet::new();
    for (id, machine) in &machines {
        let uri = machine["Properties"]["DefinitionUri"]
            .as_str()
            .unwrap_or_default();
        let Some(definition) = definitions()
            .into_iter()
            .find(|definition| uri == format!("../statemachines/{}.asl.json", definition.name))
        else {
            findings.push(format!("{APPLICATION}: {id} has the DefinitionUri `{uri}`, which is no file of statemachines"));
            continue;
        };
        if !uris.insert(uri) {
            findings.push(format!(
                "{APPLICATION}: two state machines have the definition {uri}"
            ));
        }
        let given = machine["Properties"]["DefinitionSubstitutions"]
            .as_object()
            .unwrap();
        let used = asl::substitutions(&definition.json);
        findings.extend(
            used.iter()
                .filter(|name| !given.contains_key(*name))
                .map(|name| {
                    format!("{uri} uses ${{{name}}}: add it to DefinitionSubstitutions of {id}")
                }),
        );
        findings.extend(
            given
                .keys()
                .filter(|name| !used.contains(*name))
                .map(|name| format!("{uri} does not use ${{{name}}}: remove it from DefinitionSubstitutions of {id}")),
        );
        for (name, value) in given {
            let function = name.strip_suffix("Arn").unwrap_or_default();
            if arn_of(value) != Some(function) || !functions.contains_key(function) {
                findings.push(format!(
                    "{APPLICATION}: the substitution {name} must be `!GetAtt <function>.Arn` of the function with the same name"
                ));
            }
        }
    }
    let unused = definitions()
        .into_iter()
        .map(|definition| format!("../statemachines/{}.asl.json", definition.name))
        .filter(|uri| !uris.contains(uri.as_str()));
    findings.extend(
        unused.map(|uri| {
            format!("{uri} belongs to no AWS::Serverless::StateMachine of {APPLICATION}")
        }),
    );
    report("definitions and template do not fit together:", &findings);
}

#[test]
fn a_state_machine_may_run_the_functions_that_it_names_and_no_others() {
    let template = written(APPLICATION);
    let mut findings = Vec::new();
    for (id, machine) in resources(&template, &["AWS::Serverless::StateMachine"]) {
        let named: BTreeSet<_> = machine["Properties"]["DefinitionSubstitutions"]
            .as_object()
            .unwrap()
            .values()
            .filter_map(arn_of)
            .collect();
        let role = arn_of(&machine["Properties"]["Role"]).unwrap();
        let statements = items(&template["Resources"][role]["Properties"], "Policies")
            .into_iter()
            .flat_map(|policy| items(&policy["PolicyDocument"], "Statement"));
        let invokes =
            statements.filter(|statement| statement["Action"] == json!(["lambda:InvokeFunction"]));
        let allowed: BTreeSet<_> = invokes
            .flat_map(|statement| items(statement, "Resource"))
            .filter_map(arn_of)
            .collect();
        findings.extend(
            named
                .difference(&allowed)
                .map(|function| format!("{role} does not let {id} run {function}")),
        );
        findings.extend(
            allowed
                .difference(&named)
                .map(|function| format!("{role} lets {id} run {function}, which it does not name")),
        );
    }
    report(
        "the state machines' roles differ from their definitions:",
        &findings,
    );
}

#[test]
fn every_step_is_handed_the_same_references_and_its_own_name() {
    let mut findings = Vec::new();
    for definition in definitions() {
        for (name, state, _) in definition.steps() {
            let expected = json!({
                "lifecycle": "{% $states.context.Execution.Input.lifecycle %}",
                "generation": "{% $states.context.Execution.Input.generation %}",
                "step": name,
            });
            if state["Arguments"] != expected {
                findings.push(format!(
                    "{}: Arguments of `{name}` must be {expected}",
                    definition.name
                ));
            }
        }
        for (name, state, _) in definition.waits() {
            let payload = &state["Arguments"]["Payload"];
            let fields: BTreeSet<_> = payload
                .as_object()
                .into_iter()
                .flatten()
                .map(|(field, _)| field.as_str())
                .collect();
            if fields != BTreeSet::from(["generation", "lifecycle", "token", "wait"]) {
                findings.push(format!(
                    "{}: Payload of `{name}` must hold lifecycle, generation, wait and token",
                    definition.name
                ));
            }
            if serde_json::from_value::<Wait>(payload["wait"].clone()).is_err() {
                findings.push(format!(
                    "{}: `{name}` waits for {}, which interplant_domain::lifecycle::Wait does not know",
                    definition.name, payload["wait"]
                ));
            }
        }
    }
    report("states carry references, never documents:", &findings);
}

#[test]
fn every_step_is_retried_and_caught_in_the_same_way() {
    let definitions = definitions();
    let steps: Vec<_> = definitions
        .iter()
        .flat_map(|definition| {
            definition
                .steps()
                .into_iter()
                .map(move |(name, state, _)| (definition, name, state))
        })
        .collect();
    let (_, first, standard) = steps.first().unwrap();
    let mut findings = Vec::new();
    for (definition, name, state) in &steps {
        let place = format!("statemachines/{}.asl.json, `{name}`", definition.name);
        if state["Retry"] != standard["Retry"] {
            findings.push(format!("{place}: Retry is not that of `{first}`"));
        }
        if standard_catches(state) != standard_catches(standard) {
            findings.push(format!(
                "{place}: Catch is not that of `{first}`; catches of its own ({}) come before the standard ones",
                OWN.map(|(own, _)| own).join(", ")
            ));
        }
    }
    report("the standard blocks differ, copy them:", &findings);
}

#[test]
fn every_wait_is_retried_in_the_same_way_and_ends_within_the_year() {
    let definitions = definitions();
    let waits: Vec<_> = definitions
        .iter()
        .flat_map(|definition| {
            definition
                .waits()
                .into_iter()
                .map(move |(name, state, _)| (definition, name, state))
        })
        .collect();
    let (_, first, standard) = waits.first().unwrap();
    let mut findings = Vec::new();
    for (definition, name, state) in &waits {
        let place = format!("statemachines/{}.asl.json, `{name}`", definition.name);
        if state["Retry"] != standard["Retry"] || state["Catch"] != standard["Catch"] {
            findings.push(format!(
                "{place}: Retry and Catch are not those of `{first}`"
            ));
        }
        let retried: BTreeSet<_> = items(state, "Retry").into_iter().flat_map(errors).collect();
        let expected: BTreeSet<_> = NOT_RUN
            .into_iter()
            .chain(["Retryable"])
            .filter(|error| *error != "States.Timeout")
            .collect();
        if retried != expected {
            // The timeout is that of the wait: repeating it would only hide that nobody ended it.
            findings.push(format!("{place}: Retry must name {expected:?}"));
        }
        // A wait is longer than a generation lasts, and every execution ends before AWS ends it after a year.
        let days = state["TimeoutSeconds"].as_u64().unwrap_or_default() / 86_400;
        if days <= DAYS_PER_GENERATION.unsigned_abs() || days >= 365 {
            findings.push(format!("{place}: {days} days are not between DAYS_PER_GENERATION ({DAYS_PER_GENERATION}) and a year"));
        }
    }
    report("waits differ:", &findings);
}

#[test]
fn every_class_of_error_goes_where_the_house_sends_it() {
    let names = error_names();
    let mut findings = Vec::new();
    for definition in definitions() {
        for (name, state, _) in definition.steps() {
            let place = format!("statemachines/{}.asl.json, `{name}`", definition.name);
            let retries = items(state, "Retry");
            let retried: BTreeSet<_> = retries.iter().flat_map(|retry| errors(retry)).collect();
            let goes_to = |error: &str| {
                items(state, "Catch")
                    .into_iter()
                    .find(|catch| errors(catch).contains(error))
                    .map(|catch| catch["Next"].as_str().unwrap_or_default())
            };
            for error in ["Retryable", "Held"].into_iter().chain(NOT_RUN) {
                // What a function can retry it retries itself; the machine does where the function did not run.
                if retried.contains(error) != NOT_RUN.contains(&error) {
                    findings.push(format!("{place}: {error} is to be retried by the machine only where the function did not run"));
                }
                if goes_to(error) != Some("HoldForOdoo") {
                    findings.push(format!(
                        "{place}: {error} is to be caught and led to HoldForOdoo"
                    ));
                }
            }
            for retry in &retries {
                // More belongs to the retry lane, which costs no history.
                if retry["MaxAttempts"]
                    .as_u64()
                    .is_none_or(|attempts| attempts > 5)
                    || retry["JitterStrategy"] != "FULL"
                {
                    findings.push(format!(
                        "{place}: a Retry has at most five MaxAttempts, and JitterStrategy FULL"
                    ));
                }
            }
            for error in ["BusinessException", "BadInput"] {
                if retried.contains(error) || goes_to(error) != Some("AwaitDecision") {
                    findings.push(format!(
                        "{place}: {error} is not to be retried but caught and led to AwaitDecision"
                    ));
                }
            }
            for error in NOT_NOW {
                if retried.contains(error) || goes_to(error) != Some(AWAIT) {
                    findings.push(format!(
                        "{place}: {error} is not to be retried but caught and led to {AWAIT}"
                    ));
                }
            }
            let own = definition.own_errors(name);
            for (error, code) in OWN {
                if own.contains(error) && goes_to(error) != Some(AWAIT) {
                    findings.push(format!("{place}: its code holds `{code}`, so {error} is to be caught and led to {AWAIT}"));
                }
                if !own.contains(error) && goes_to(error).is_some() {
                    findings.push(format!(
                        "{place}: {error} is caught but its code does not hold `{code}`"
                    ));
                }
                if retried.contains(error) {
                    findings.push(format!("{place}: {error} is not to be retried"));
                }
            }
        }
        for (name, state) in definition.states() {
            let handlers = items(state, "Retry")
                .into_iter()
                .chain(items(state, "Catch"));
            // BadInput has no step that raises it yet; the import of files will.
            let known = |error: &str| {
                names.contains(error) || error == "BadInput" || NOT_RUN.contains(&error)
            };
            let unknown = handlers.flat_map(errors).filter(|error| !known(error));
            findings.extend(unknown.map(|error| {
                format!("{}: `{name}` handles `{error}`, a name that neither shared/runtime/src/step.rs nor AWS gives", definition.name)
            }));
        }
    }
    let classes = ["Retryable", "Held", "BusinessException", "Defect"]
        .into_iter()
        .chain(NOT_NOW)
        .collect::<Vec<_>>();
    let unhandled = names
        .iter()
        .filter(|name| !classes.contains(&name.as_str()) && OWN.iter().all(|(own, _)| own != name));
    findings.extend(
        unhandled.map(|name| {
            format!("StepError becomes `{name}`: catch it in the states whose steps raise it, and add it to OWN in tests/repo")
        }),
    );
    findings.extend(
        classes
            .iter()
            .filter(|class| !names.contains(**class))
            .map(|class| format!("no StepError becomes `{class}` any more")),
    );
    report(
        "the classes of errors are not handled as the design's table says:",
        &findings,
    );
}

#[test]
fn every_word_of_the_code_has_its_choice_and_its_state() {
    let mut findings = Vec::new();
    for definition in definitions() {
        let states = &definition.json["States"];
        let words = definition.words();
        let asked = |choice: &Value| {
            let condition = choice["Condition"].as_str().unwrap_or_default();
            condition
                .strip_prefix("{% $states.input.next = '")
                .and_then(|rest| rest.strip_suffix("' %}"))
                .map(str::to_owned)
        };
        let choices = items(&states["WhichStep"], "Choices");
        for word in &words {
            let found: Vec<_> = choices
                .iter()
                .filter(|choice| asked(choice).as_deref() == Some(word))
                .collect();
            if found.len() != 1 || found.iter().any(|choice| choice["Next"] != *word) {
                findings.push(format!(
                    "{}: WhichStep needs one choice `{{% $states.input.next = '{word}' %}}` that leads to `{word}`",
                    definition.name
                ));
            }
            if states.get(*word).is_none() {
                findings.push(format!("{}: there is no state `{word}`", definition.name));
            }
        }
        for (name, state) in definition
            .states()
            .filter(|(_, state)| state["Type"] == "Choice")
        {
            for choice in items(state, "Choices") {
                if asked(choice).is_none_or(|word| !words.contains(&word.as_str())) {
                    findings.push(format!(
                        "{}: `{name}` asks {}, a word that the code never says",
                        definition.name, choice["Condition"]
                    ));
                }
            }
        }
    }
    report(
        "the words of the code and of the definition differ:",
        &findings,
    );
}

#[test]
fn a_task_outlasts_the_function_that_it_runs() {
    let template = written(APPLICATION);
    let mut findings = Vec::new();
    for definition in definitions() {
        for (name, state, function) in definition.steps() {
            let function_seconds = template["Resources"][function]["Properties"]["Timeout"]
                .as_u64()
                .unwrap_or_default();
            // Otherwise a step is repeated, or held, while its first run is still at work.
            if state["TimeoutSeconds"]
                .as_u64()
                .is_none_or(|seconds| seconds <= function_seconds)
            {
                findings
                    .push(format!("{}: TimeoutSeconds of `{name}` is not above the {function_seconds} s of {function}", definition.name));
            }
        }
    }
    report(
        "a function may still run when its task has ended:",
        &findings,
    );
}
