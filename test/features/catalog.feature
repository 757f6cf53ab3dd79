Feature: The catalog of models
  The operator makes a model known with its source and the digest of each of its files. What is not local is fetched in the background,
  from hosts the configuration lists and no others; then every file is verified. Pools name a model of the catalog as `catalog:<id>`.

  Rule: Local files

    Background:
      Given the file "tiny.gguf" in the models directory, which reads "weights"

    Scenario: A local model is registered and verified
      When the operator registers the file "tiny.gguf" as model "tiny" with:
        | tags | [demo] |
      Then the answer is 201
      And its header "Location" is "/v1/catalog/models/tiny"
      And it says:
        | id           | tiny           |
        | state        | Active         |
        | source_url   | file:tiny.gguf |
        | tags         | [demo]         |
        | local.status | present        |
      And in the end model "tiny" says:
        | verification.status      | pass   |
        | verification.finished_at | (some) |
        | local.bytes_done         | 7      |
        | local.bytes_total        | 7      |
      And the metrics show:
        | series                      | labels                                | value |
        | catalog_verifications_total | result=pass                           | 1     |
        | model_state                 | model_id=catalog:tiny state=Active    | 1     |

    Scenario: The same request again is the same model
      Given the operator registers the file "tiny.gguf" as model "tiny"
      When the operator registers the same model "tiny" again
      Then the answer is 201
      When the operator lists the models
      Then it says:
        | models.0.id | tiny   |
        | models.1    | (none) |

    Scenario: The same id with another request is refused
      Given the operator registers the file "tiny.gguf" as model "tiny"
      When the operator registers the file "tiny.gguf" as model "tiny" with:
        | tags | [other] |
      Then the answer is 409 CONFLICT
      And its message names "tiny"

    Scenario: A file that has changed since is found out
      Given the operator registers the file "tiny.gguf" as model "tiny"
      And in the end model "tiny" says:
        | verification.status | pass |
      When the file "tiny.gguf" is replaced by one that reads "WEIGHTS"
      And the operator verifies model "tiny"
      Then the answer is 202
      And in the end model "tiny" says:
        | verification.status  | fail            |
        | verification.reason  | digest_mismatch |
        | verification.message | /tiny.gguf/     |
      And the metrics show:
        | series                      | labels                             | value |
        | catalog_verifications_total | result=fail reason=digest_mismatch | 1     |

    Scenario Outline: What is not a file of the models directory is refused: <source>
      When the operator registers "<source>" as model "bad", whose file "<path>" should read "weights"
      Then the answer is 400 INVALID_PARAMS
      And its message names "<field>"
      When the operator lists the models
      Then it says:
        | models | [] |

      Examples:
        | source              | path         | field            |
        | file:../secret      | secret       | source_url       |
        | file:/etc/passwd    | passwd       | source_url       |
        | file:nothing        | nothing      | manifests.0.path |
        | ftp://host/x        | x            | source_url       |
        | https://u:p@host/x  | x            | source_url       |

    Scenario: Find models by tag and by state
      Given the operator registers the file "tiny.gguf" as model "one" with:
        | tags | [demo] |
      And the operator registers the file "tiny.gguf" as model "two" with:
        | tags | [real] |
      And the operator retires model "two" within 1 s
      When Ana lists the models with tag "demo"
      Then it says:
        | models.0.id | one    |
        | models.1    | (none) |
      When Ana lists the models with state "Retired"
      Then it says:
        | models.0.id | two    |
        | models.1    | (none) |

    Scenario: A model is forgotten, and its file stays
      Given the operator registers the file "tiny.gguf" as model "tiny"
      When the operator forgets model "tiny"
      Then the answer is 204
      When Ana looks at model "tiny"
      Then the answer is 404 NOT_FOUND
      And the models directory holds 1 file

    Scenario: Whoever may read may not change
      When Ana registers the file "tiny.gguf" as model "tiny"
      Then the answer is 403 FORBIDDEN
      When Ana lists the models
      Then the answer is 200

  Rule: Files from a hub

    Scenario: A model is fetched and verified
      Given a hub that serves "tiny.gguf" of "org/tiny", which reads "weights"
      When the operator registers "hf:org/tiny" as model "tiny", whose file "tiny.gguf" should read "weights"
      Then the answer is 201
      And in the end model "tiny" says:
        | local.status        | present |
        | local.bytes_done    | 7       |
        | verification.status | pass    |

    Scenario: Bytes that are not what the manifest says leave nothing behind
      Given a hub that serves "tiny.gguf" of "org/tiny", which reads "forgery"
      When the operator registers "hf:org/tiny" as model "tiny", whose file "tiny.gguf" should read "weights"
      Then in the end model "tiny" says:
        | local.status        | failed          |
        | verification.status | fail            |
        | verification.reason | digest_mismatch |
      And the models directory holds 0 files

    Scenario: What was fetched goes when the model is forgotten
      Given a hub that serves "tiny.gguf" of "org/tiny", which reads "weights"
      And the operator registers "hf:org/tiny" as model "tiny", whose file "tiny.gguf" should read "weights"
      And in the end model "tiny" says:
        | verification.status | pass |
      And the models directory holds 1 file
      When the operator forgets model "tiny"
      Then the models directory holds 0 files

    Scenario: A host that is not listed is not asked
      Given a hub that serves "tiny.gguf" of "org/tiny", which reads "weights"
      When the operator registers "https://elsewhere.example/tiny.gguf" as model "tiny", whose file "tiny.gguf" should read "weights"
      Then the answer is 400 INVALID_PARAMS
      And its message names "catalog.egress.hosts"
      And the hub was asked for nothing
