//! One name, spelled by rule, through the whole chain: file, registration, resource, function, state.

use std::collections::BTreeSet;

use interplant_domain::exception::Code;
use interplant_domain::purchase_order::Step;
use serde_json::json;

use crate::report;
use crate::repository::{files_in, read};
use crate::source::{between, camel, header, product, quoted};
use crate::state_machines::definitions;
use crate::template::{APPLICATION, arn_of, resources, written};

/// A package of functions whose binary knows several steps.
struct Package {
    name: String,
    steps: Vec<Registration>,
}

/// `.step("match-invoice", match_invoice::handle)`
struct Registration {
    step: String,
    handler: String,
}

impl Package {
    fn resource(&self, step: &str) -> String {
        camel(&self.name) + &camel(step)
    }

    fn file(&self, step: &str) -> String {
        format!("functions/{}/src/{}.rs", self.name, step.replace('-', "_"))
    }
}

/// The names of the folders in functions/.
fn function_packages() -> BTreeSet<String> {
    files_in("functions/", "/Cargo.toml")
        .iter()
        .filter_map(|path| path.split('/').nth(1))
        .map(str::to_owned)
        .collect()
}

fn step_packages() -> Vec<Package> {
    let registrations = |name: &String| {
        let main = product(&read(&format!("functions/{name}/src/main.rs")));
        let calls = between(&main, ".step(\"", ")")
            .into_iter()
            .filter_map(|call| call.split_once("\","));
        calls
            .map(|(step, handler)| Registration {
                step: step.to_owned(),
                handler: handler.trim().to_owned(),
            })
            .collect()
    };
    let all = function_packages().into_iter().map(|name| Package {
        steps: registrations(&name),
        name,
    });
    all.filter(|package| !package.steps.is_empty()).collect()
}

#[test]
fn a_step_has_one_name_in_its_file_its_registration_and_the_template() {
    let template = written(APPLICATION);
    let mut findings = Vec::new();
    for package in step_packages() {
        for Registration { step, handler } in &package.steps {
            let (name, id, file) = (&package.name, package.resource(step), package.file(step));
            if *handler != format!("{}::handle", step.replace('-', "_")) {
                findings.push(format!(
                    "functions/{name}/src/main.rs registers `{step}` with `{handler}` instead of `{}::handle`",
                    step.replace('-', "_")
                ));
            }
            if !files_in("functions/", ".rs").contains(&file) {
                findings.push(format!("{file} is missing: main.rs registers `{step}`"));
            }
            let resource = &template["Resources"][&id];
            let properties = &resource["Properties"];
            for (what, found, expected) in [
                (
                    "Type",
                    &resource["Type"],
                    json!("AWS::Serverless::Function"),
                ),
                (
                    "BuildProperties.Binary",
                    &resource["Metadata"]["BuildProperties"]["Binary"],
                    json!(name),
                ),
                (
                    "CodeUri",
                    &properties["CodeUri"],
                    json!(format!("../functions/{name}")),
                ),
                ("Handler", &properties["Handler"], json!(step)),
                (
                    "FunctionName",
                    &properties["FunctionName"],
                    json!({"Fn::Sub": format!("${{Name}}-{name}-{step}")}),
                ),
                (
                    "Role",
                    &properties["Role"],
                    json!({"Fn::GetAtt": [format!("{id}Role"), "Arn"]}),
                ),
                (
                    "LoggingConfig.LogGroup",
                    &properties["LoggingConfig"]["LogGroup"],
                    json!({"Ref": format!("{id}Log")}),
                ),
            ] {
                if *found != expected {
                    findings.push(format!(
                        "{APPLICATION}, {id}: {what} is {found} instead of {expected}"
                    ));
                }
            }
            let log = &template["Resources"][format!("{id}Log")]["Properties"]["LogGroupName"];
            if *log != json!({"Fn::Sub": format!("/aws/lambda/${{Name}}-{name}-{step}")}) {
                findings.push(format!("{APPLICATION}, {id}Log: LogGroupName must be !Sub \"/aws/lambda/${{Name}}-{name}-{step}\""));
            }
        }
    }
    report("names do not line up:", &findings);
}

#[test]
fn every_file_of_a_package_of_steps_is_a_registered_step() {
    let mut findings = Vec::new();
    for package in step_packages() {
        let steps: BTreeSet<_> = package
            .steps
            .iter()
            .map(|registration| package.file(&registration.step))
            .collect();
        let folder = format!("functions/{}/src/", package.name);
        let others = files_in(&folder, ".rs")
            .into_iter()
            // What several steps do lies in a room of its own.
            .filter(|file| !file.starts_with(&format!("{folder}effects")))
            // And what one step is made of, in its own.
            .filter(|file| {
                !steps
                    .iter()
                    .any(|step| file.starts_with(&step.replace(".rs", "/")))
            })
            .filter(|file| *file != format!("{folder}main.rs") && !steps.contains(file));
        findings.extend(
            others.map(|file| {
                format!("{file}: register it in main.rs, or move it to where it belongs")
            }),
        );
    }
    report("a file that is no step:", &findings);
}

#[test]
fn every_function_of_the_template_is_a_step_or_the_one_of_its_package() {
    let template = written(APPLICATION);
    let steps = step_packages();
    let single = function_packages()
        .into_iter()
        .filter(|name| steps.iter().all(|package| package.name != *name));
    let of_steps = steps.iter().flat_map(|package| {
        package
            .steps
            .iter()
            .map(|registration| package.resource(&registration.step))
    });
    let expected: BTreeSet<String> = single.map(|name| camel(&name)).chain(of_steps).collect();
    let found: BTreeSet<String> = resources(&template, &["AWS::Serverless::Function"])
        .into_keys()
        .map(str::to_owned)
        .collect();
    let mut findings: Vec<_> = found
        .difference(&expected)
        .map(|id| format!("{id} is in the template, but no package of functions/ has it"))
        .collect();
    findings.extend(
        expected
            .difference(&found)
            .map(|id| format!("{id} is missing in the template")),
    );
    report(&format!("functions/ and {APPLICATION} differ:"), &findings);
}

#[test]
fn a_step_has_the_name_of_its_state() {
    let mut findings = Vec::new();
    for definition in definitions() {
        let Some(package) = step_packages()
            .into_iter()
            .find(|package| package.name == definition.name)
        else {
            findings.push(format!(
                "statemachines/{}.asl.json has no package functions/{0}",
                definition.name
            ));
            continue;
        };
        let states: BTreeSet<_> = definition
            .steps()
            .into_iter()
            .map(|(name, ..)| name.to_owned())
            .collect();
        let steps: BTreeSet<_> = package
            .steps
            .iter()
            .map(|registration| camel(&registration.step))
            .collect();
        findings.extend(states.difference(&steps).map(|state| {
            format!(
                "{}: the state `{state}` is no registered step",
                definition.name
            )
        }));
        findings.extend(
            steps
                .difference(&states)
                .map(|step| format!("{}: the step `{step}` has no state", definition.name)),
        );
        for (state, _, function) in definition.steps() {
            if function != camel(&definition.name) + state {
                findings.push(format!(
                    "{}: `{state}` runs {function} instead of {}{state}",
                    definition.name,
                    camel(&definition.name)
                ));
            }
        }
    }
    report("states and steps differ:", &findings);
}

#[test]
fn the_domain_and_the_package_know_the_same_steps() {
    let package = step_packages()
        .into_iter()
        .find(|package| package.name == "purchase-order")
        .unwrap();
    let registered: BTreeSet<_> = package
        .steps
        .iter()
        .map(|registration| camel(&registration.step))
        .collect();
    let domain: BTreeSet<_> = Step::ALL
        .iter()
        .map(|step| step.state_name().to_owned())
        .collect();
    assert_eq!(
        registered, domain,
        "functions/purchase-order/src/main.rs and interplant_domain::purchase_order::Step differ"
    );
}

#[test]
fn the_header_of_a_step_names_its_states_its_safety_and_its_exceptions() {
    let definitions = definitions();
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut findings = Vec::new();
    for package in step_packages() {
        for Registration { step, .. } in &package.steps {
            let file = package.file(step);
            let header = header(&read(&file));
            let words = quoted(&header);
            let id = package.resource(step);
            let tasks = definitions
                .iter()
                .flat_map(|definition| definition.steps().into_iter().chain(definition.waits()));
            let unnamed =
                tasks.filter(|(name, _, function)| *function == id && !words.contains(name));
            findings.extend(
                unnamed.map(|(name, ..)| {
                    format!("{file}: its header does not name the state `{name}`")
                }),
            );
            if !header.contains("Safe to repeat") {
                findings.push(format!(
                    "{file}: its header does not say why it is `Safe to repeat`"
                ));
            }
            let raised = header
                .split_once("Raises")
                .map(|(_, raised)| quoted(raised))
                .unwrap_or_default();
            let unknown = raised.into_iter().filter(|code| !codes.contains(code));
            findings.extend(unknown.map(|code| {
                format!("{file}: its header raises `{code}`, which is no exception code")
            }));
        }
    }
    report("headers of steps:", &findings);
}

#[test]
fn the_template_sets_the_variables_that_the_settings_read() {
    let code = product(&read("shared/runtime/src/settings.rs"));
    let read: BTreeSet<_> = between(&code, "\"INTERPLANT_", "\"")
        .into_iter()
        .map(|rest| format!("INTERPLANT_{rest}"))
        .collect();
    let template = written(APPLICATION);
    let variables = template["Globals"]["Function"]["Environment"]["Variables"]
        .as_object()
        .unwrap();
    let set: BTreeSet<_> = variables
        .keys()
        .filter(|name| name.starts_with("INTERPLANT_"))
        .cloned()
        .collect();
    // Open webhooks to this machine itself, and the operators' API to tokens of a local cloud: a template that set
    // one of them would be a hole.
    const FOR_TESTS: [&str; 2] = [
        "INTERPLANT_WEBHOOK_LOOPBACK",
        "INTERPLANT_DEVELOPMENT_ISSUER",
    ];
    let mut findings: Vec<_> = read
        .difference(&set)
        .filter(|name| !FOR_TESTS.contains(&name.as_str()))
        .map(|name| format!("{name} is read but {APPLICATION} does not set it"))
        .collect();
    findings.extend(
        set.difference(&read)
            .map(|name| format!("{name} is set but nobody reads it")),
    );
    report(
        "shared/runtime/src/settings.rs and the template differ:",
        &findings,
    );
}

#[test]
fn the_makefile_builds_every_package_of_functions() {
    let makefile = read("Makefile");
    let variable = |name: &str| {
        makefile
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" := "))
            .unwrap_or_default()
    };
    let functions: Vec<_> = variable("FUNCTIONS").split(' ').collect();
    let failpoints: Vec<_> = variable("FAILPOINTS").split([' ', ',']).collect();
    let mut findings = Vec::new();
    for name in function_packages() {
        if !functions.contains(&name.as_str()) {
            findings.push(format!("FUNCTIONS does not name {name}"));
        }
        if !failpoints.contains(&format!("{name}/failpoints").as_str()) {
            findings.push(format!("FAILPOINTS does not name {name}/failpoints"));
        }
    }
    report("Makefile:", &findings);
}

#[test]
fn the_template_routes_the_paths_that_the_api_documents() {
    let documented: BTreeSet<String> = ["openapi.rs", "openapi/operators.rs"]
        .iter()
        .flat_map(|file| {
            let document = product(&read(&format!("functions/ingest/src/{file}")));
            let paths = between(&document, "\"/v1/", "\"");
            paths
                .into_iter()
                .map(|path| format!("/v1/{path}"))
                .collect::<Vec<_>>()
        })
        .collect();
    let template = written(APPLICATION);
    let routes = resources(&template, &["AWS::ApiGatewayV2::Route"]);
    let routed: BTreeSet<String> = routes
        .values()
        .filter_map(|route| route["Properties"]["RouteKey"].as_str()?.split_once(' '))
        .map(|(_, path)| path.to_owned())
        .collect();
    // `{id+}` takes slashes along: for a caller it is a parameter as any other, and what comes behind it.
    let leads_to = |route: &String, path: &String| match route.split_once("{id+}") {
        Some((before, "")) => path
            .strip_prefix(before)
            .is_some_and(|rest| !rest.is_empty()),
        Some(_) | None => route == path,
    };
    let mut findings: Vec<String> = documented
        .iter()
        .filter(|path| !routed.iter().any(|route| leads_to(route, path)))
        .map(|path| format!("{path} is documented, and nothing leads there"))
        .collect();
    let unknown = routed
        .iter()
        .filter(|route| !documented.iter().any(|path| leads_to(route, path)));
    findings.extend(unknown.map(|route| format!("{route} is not documented")));
    report(
        &format!(
            "the routes of {APPLICATION} and the paths of functions/ingest/src/openapi.rs differ:"
        ),
        &findings,
    );
    let machines = resources(&template, &["AWS::ApiGatewayV2::Integration"]);
    assert!(
        machines
            .values()
            .all(|integration| arn_of(&integration["Properties"]["IntegrationUri"]).is_some()),
        "an integration runs a function by `!GetAtt <function>.Arn`"
    );
}
