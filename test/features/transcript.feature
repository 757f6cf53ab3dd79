Feature: The transcript of a task
  Every task that ends leaves an artifact behind: its request, its text and frames, its timings, the engine and the seed, so that what
  happened can be read, and done again, later.

  Background:
    Given the pool:
      | pool  | slots | first token | next tokens | tokens |
      | north | 1     | 1 s         | 1 s         | 4      |

  Scenario: Of a task that completed
    Given Ana sends task "story" with:
      | session_id  | evening             |
      | seed        | 7                   |
      | output_mode | json                |
      | metadata    | { project: swans }  |
    And 10 s pass
    When Ana reads the transcript of "story"
    Then it says:
      | kind                            | transcript                                          |
      | tags                            | ["task:story", "session:evening", "output:json"]    |
      | metadata.engine_version         | mock-1                                              |
      | content.request.prompt          | Once upon a time                                    |
      | content.request.metadata        | { project: swans }                                  |
      | content.seed                    | 7                                                   |
      | content.engine                  | mock                                                |
      | content.pool_id                 | north                                               |
      | content.replica_id              | r0                                                  |
      | content.attempts                | 1                                                   |
      | content.tokens_out              | 4                                                   |
      | content.finish_reason           | stop                                                |
      | content.started_at              | (some)                                              |
      | content.error                   | (none)                                              |
    And it does not contain Ana's key
    And its text is what the readers of "story" got

  Scenario: Of a task that was canceled, with what had been generated
    Given Ana has sent task "story"
    And Ana opens the stream of "story"
    And 2 s pass
    And Ana has read 2 tokens of "story"
    And Ana cancels task "story"
    When Ana reads the transcript of "story"
    Then it says:
      | content.error.code | CANCELED |
      | content.tokens_out | 2        |
    And its text is what the readers of "story" got

  Scenario: Of a task whose engine failed
    Given the pool:
      | pool  | slots | tokens | same text again | fault                        |
      | north | 1     | 4      | no              | kind: fail, after_tokens: 3  |
    And Ana has sent task "story"
    When Ana reads the transcript of "story"
    Then it says:
      | content.error.code      | WORKER_RESET |
      | content.error.retriable | true         |
      | content.tokens_out      | 3            |
    And its text is what the readers of "story" got

  Scenario: It is found by the task's name and belongs to its key
    Given Ana has sent task "story"
    And 10 s pass
    And task "story" is completed
    When Ana lists the artifacts with tag "task:story"
    Then 1 artifact is listed
    When Ben lists the artifacts with tag "task:story"
    Then 0 artifacts are listed
