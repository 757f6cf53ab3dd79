Feature: The life of a model
  A model of the catalog is active until it is retired: then new tasks are refused, running ones finish within the deadline, and the pools
  that serve it unload it. Its record stays, and it can be brought back.

  Background:
    Given the pool "tales" with the demonstration model
    And the demonstration model as "tinytales.gguf" in the models directory
    And the operator registers the file "tinytales.gguf" as model "tales"
    And in the end model "tales" says:
      | verification.status | pass |
    And the operator reloads pool "tales" with "catalog:tales"
    And the answer is 202

  Scenario: From active to retired and back
    When Ana sends task "first" with:
      | model_ref  | catalog:tales |
      | max_tokens | 5             |
    Then the answer is 202
    And the stream of "first" ends with "end"
    When the operator retires model "tales" within 10 ms
    Then the answer is 202
    And it says:
      | state              | Retired |
      | retire_deadline_at | (some)  |
    When Ana sends task "refused" with:
      | model_ref | catalog:tales |
    Then the answer is 409 MODEL_DEPRECATED
    And it says:
      | retriable | false |
    And in the end replica 0 of pool "tales" is stopped
    When Ana looks at model "tales"
    Then it says:
      | state | Retired |
    And the metrics show:
      | series      | labels                               | value |
      | model_state | model_id=catalog:tales state=Retired | 1     |
      | model_state | model_id=catalog:tales state=Active  | 0     |
    When the operator brings model "tales" back
    Then the answer is 202
    And it says:
      | state              | Active |
      | retire_deadline_at | (none) |
    And in the end replica 0 of pool "tales" is ready
    When Ana sends task "again" with:
      | model_ref  | catalog:tales |
      | max_tokens | 5             |
    Then the answer is 202
    And the stream of "again" ends with "end"

  Scenario: A running task finishes within the deadline
    Given Ana sends task "running" with:
      | model_ref  | catalog:tales |
      | max_tokens | 60            |
    And the answer is 202
    When the operator retires model "tales" within 1 min
    And Ana sends task "refused" with:
      | model_ref | catalog:tales |
    Then the answer is 409 MODEL_DEPRECATED
    And the stream of "running" ends with "end"

  Scenario: The pool of a retired model rests until the model is back or it is given another one
    When the operator retires model "tales" within 10 ms
    Then in the end replica 0 of pool "tales" is stopped
    And the health of pool "tales" says:
      | live                | false                                                      |
      | ready               | false                                                      |
      | last_error          | Model tales of the catalog is retired; name another model. |
      | replicas.0.restarts | 0                                                          |
    When the operator resumes pool "tales"
    Then the answer is 409 CONFLICT
    And its message names "retired"
    When the operator reloads pool "tales" with "catalog:tales"
    Then the answer is 409 MODEL_DEPRECATED
    When the operator reloads pool "tales" with "file:tinytales.gguf"
    Then the answer is 202
    And it says:
      | ready    | true  |
      | draining | false |

  Scenario: A model that is served is not forgotten
    When the operator forgets model "tales"
    Then the answer is 409 CONFLICT
    And its message names "pool"

  Scenario: A model that fails its verification is not served
    Given the file "tinytales.gguf" is replaced by one that reads "no model"
    When the operator verifies model "tales"
    And in the end model "tales" says:
      | verification.status | fail |
    And Ana sends task "refused" with:
      | model_ref | catalog:tales |
    Then the answer is 409
    And its message names "verification"

  Scenario: A pool is not reloaded with a model nobody registered
    When the operator reloads pool "tales" with "catalog:nobody"
    Then the answer is 409 CONFLICT
    And its message names "No such model"
