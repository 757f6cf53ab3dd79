Feature: Artifacts
  Plans, summaries, diffs and transcripts are kept as artifacts. The id of an artifact is the digest of what it says, so the same
  artifact has the same id wherever and however often it is stored.

  Scenario: Store and read
    When Ana stores the artifact:
      | kind        | plan              |
      | content     | 1. read 2. write  |
      | tags        | [draft]           |
      | metadata    | { by: ana }       |
    Then the answer is 201
    # printf '{"content":"1. read 2. write","kind":"plan","metadata":{"by":"ana"},"tags":["draft"]}' | sha256sum
    And it says:
      | id         | sha256:c22d18843b5b18bfb302035146d07bfea4073f4789db0e12fd36f579f28c9e19 |
      | kind       | plan      |
      | tags       | [draft]   |
      | size_bytes | > 0       |
    And its header "Location" is /^/v1/artifacts/sha256:/
    When Ana reads that artifact
    Then it says:
      | kind     | plan             |
      | content  | 1. read 2. write |
      | tags     | [draft]          |
      | metadata | { by: ana }      |

  Scenario: The same again is the same artifact
    Given Ana stores the artifact:
      | kind    | plan    |
      | content | 1. read |
    And Ana stores the artifact:
      | content | 1. read |
      | kind    | plan    |
    And the answer is 201
    When Ana lists the artifacts with kind "plan"
    Then 1 artifact is listed

  Scenario: An artifact may continue another one
    Given Ana stores the artifact:
      | kind    | plan    |
      | content | 1. read |
    When Ana stores what continues that artifact:
      | kind    | diff       |
      | content | "- 1. read" |
    Then the answer is 201
    And it says:
      | parent | /^sha256:/ |

  Scenario: What it continues has to exist
    When Ana stores the artifact:
      | kind    | diff                                                                    |
      | content | "- 1. read"                                                             |
      | parent  | sha256:0000000000000000000000000000000000000000000000000000000000000000 |
    Then the answer is 400 INVALID_PARAMS
    And its message names "parent"

  Scenario Outline: Find artifacts by <filter>
    Given Ana stores the artifact:
      | kind    | plan    |
      | content | 1. read |
      | tags    | [draft] |
    And Ana stores the artifact:
      | kind    | summary      |
      | content | All is read. |
      | tags    | [done]       |
    When Ana lists the artifacts with <filter> "<value>"
    Then 1 artifact is listed
    And it says:
      | artifacts.0.kind | <kind> |

    Examples:
      | filter | value   | kind    |
      | kind   | summary | summary |
      | tag    | draft   | plan    |

  Scenario: They are kept for a while
    Given the configuration has:
      """
      retention: { artifacts_ms: 600000 }
      """
    And Ana stores the artifact:
      | kind    | plan    |
      | content | 1. read |
    When 15 min pass
    And Ana lists the artifacts with kind "plan"
    Then 0 artifacts are listed
