Feature: Resume a stream where it broke
  Each frame with an id is a place to go on from. A reader that lost its connection sends the last id it has as `Last-Event-ID`, as an
  EventSource does by itself, and gets exactly the rest.

  Background:
    Given the pool:
      | pool  | slots | first token | next tokens | tokens |
      | north | 1     | 1 s         | 1 s         | 5      |
    And Ana has sent task "story"

  Scenario: A reader comes back while the task runs
    Given Ana opens the stream of "story"
    And 2 s pass
    And Ana has read 2 tokens of "story"
    When the connection of Ana's reader of "story" breaks
    And 1 s passes
    And Ana resumes the stream of "story"
    And 10 s pass
    Then the stream of "story" ends with "end"
    And the readers of "story" have, one after the other, each of its 5 tokens once

  Scenario: A reader comes back after the task has ended
    Given Ana opens the stream of "story"
    And 3 s pass
    And Ana has read 3 tokens of "story"
    When the connection of Ana's reader of "story" breaks
    And 1 min passes
    And Ana resumes the stream of "story"
    Then the stream of "story" has the events "token, token, metrics, end"
    And the readers of "story" have, one after the other, each of its 5 tokens once

  Scenario: A reader that has everything is told to stop
    Given 1 min passes
    When Ana asks for what follows "end" in the stream of "story"
    Then the answer is 204

  Scenario: An id of another text is never spliced
    Given 1 min passes
    When Ana resumes the stream of "story" from "4-00000000"
    Then the stream of "story" has the events "error"
    And the error event of "story" says:
      | code | WORKER_RESET |

  Scenario: What is no id is refused
    When Ana asks for what follows "yesterday" in the stream of "story"
    Then the answer is 400 INVALID_PARAMS
    And its message names "last-event-id"
