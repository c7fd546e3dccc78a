import ChatCore
import Foundation
import Testing

@Suite("Moderation")
struct QuestionStateTests {
    @Test(
        "publishing leads to published from wherever there is something left, and changes only what was not",
        arguments: QuestionState.allCases)
    func publish(state: QuestionState) {
        var changing = state
        #expect(changing.publish() == (state != .published && state != .deleted))
        #expect(changing == (state == .deleted ? .deleted : .published))
    }

    @Test(
        "rejecting leads to rejected from wherever there is something left, and changes only what was not",
        arguments: QuestionState.allCases)
    func reject(state: QuestionState) {
        var changing = state
        #expect(changing.reject() == (state != .rejected && state != .deleted))
        #expect(changing == (state == .deleted ? .deleted : .rejected))
    }

    @Test("an answer publishes a pending question and refuses a rejected one", arguments: QuestionState.allCases)
    func answer(state: QuestionState) throws {
        var changing = state
        if state == .rejected {
            #expect(throws: ChatError.questionRejected) { try changing.answer() }
            #expect(changing == .rejected)
        } else if state == .deleted {
            #expect(throws: ChatError.questionNotFound) { try changing.answer() }
        } else {
            try changing.answer()
            #expect(changing == .published)
        }
    }

    @Test("deleting leads to deleted from everywhere, for good", arguments: QuestionState.allCases)
    func delete(state: QuestionState) {
        var changing = state
        #expect(changing.delete() == (state != .deleted))
        #expect(changing == .deleted)
    }

    @Test("nothing leads back to pending")
    func neverPendingAgain() throws {
        for start in [QuestionState.published, .rejected] {
            var state = start
            for step in 0..<8 {
                _ = step % 2 == 0 ? state.publish() : state.reject()
                #expect(state != .pending)
            }
        }
    }
}

@Suite("A question's record")
struct QuestionRecordTests {
    static func question(_ state: QuestionState = .pending, wasPublished: Bool = false) -> QuestionRecord {
        QuestionRecord(
            id: "q", number: 1, state: state, wasPublished: wasPublished, sealedText: [1], sealedAuthorName: [],
            author: [2], askTime: Date(milliseconds: 0), version: 1, lastSequence: 4, answers: [], keyVersion: 1)
    }

    static let answer = AnswerRecord(id: "r", sealedText: [1], sealedHostName: [], answerTime: Date(milliseconds: 0))

    @Test("remembers that it was published after it is rejected")
    func wasPublished() {
        var question = Self.question()
        #expect(question.apply(.publish) == true)
        #expect(question.apply(.reject) == true)
        #expect(question.state == .rejected)
        #expect(question.wasPublished)
    }

    @Test("a question rejected while pending was never published")
    func neverPublished() {
        var question = Self.question()
        #expect(question.apply(.reject) == true)
        #expect(!question.wasPublished)
    }

    @Test("moderating to what already is changes nothing", arguments: Moderation.allCases)
    func idempotence(moderation: Moderation) {
        var question = Self.question()
        #expect(question.apply(moderation) == true)
        let once = question
        #expect(question.apply(moderation) == false)
        #expect(question == once)
    }

    @Test("an answer publishes it and counts")
    func answering() throws {
        var question = Self.question()
        try question.add(Self.answer, limit: 1)
        #expect(question.state == .published)
        #expect(question.wasPublished)
        #expect(question.answers == [Self.answer])
        #expect(throws: ChatError.tooManyAnswers) { try question.add(Self.answer, limit: 1) }
        #expect(question.answers.count == 1)
    }

    @Test("an answer to a rejected question leaves it as it was")
    func answeringRejected() {
        var question = Self.question(.rejected)
        let before = question
        #expect(throws: ChatError.questionRejected) { try question.add(Self.answer, limit: 5) }
        #expect(question == before)
    }

    @Test("every stored change has a version and a sequence")
    func advancing() {
        var question = Self.question()
        question.advance(to: 9)
        #expect(question.version == 2)
        #expect(question.lastSequence == 9)
    }
}

@Suite("Who sees what")
struct AudienceTests {
    @Test(
        "moderators are shown every question, whatever its state, and told that it is deleted",
        arguments: QuestionState.allCases, [false, true])
    func moderators(state: QuestionState, wasPublished: Bool) {
        let view: QuestionView = state == .deleted ? .removed : .shown
        #expect(Audience.moderators.view(of: state, wasPublished: wasPublished) == view)
    }

    @Test("everyone is shown what is published and told of what no longer is; of the rest they hear nothing")
    func everyone() {
        #expect(Audience.everyone.view(of: .published, wasPublished: true) == .shown)
        #expect(Audience.everyone.view(of: .rejected, wasPublished: true) == .removed)
        #expect(Audience.everyone.view(of: .rejected, wasPublished: false) == .hidden)
        #expect(Audience.everyone.view(of: .pending, wasPublished: false) == .hidden)
    }

    @Test("what an audience is shown live is what its viewers find in the list", arguments: QuestionState.allCases)
    func feedAndListAgree(state: QuestionState) {
        let wasPublished = state == .published
        #expect(
            (Audience.everyone.view(of: state, wasPublished: wasPublished) == .shown)
                == Viewer.anyone.sees(state, by: [1]))
        #expect(
            (Audience.moderators.view(of: state, wasPublished: wasPublished) == .shown)
                == Viewer.moderator.sees(state, by: [1]))
    }

    @Test(
        "a participant sees their own questions and the published ones, nobody deleted ones",
        arguments: QuestionState.allCases)
    func participants(state: QuestionState) {
        #expect(Viewer.author([1]).sees(state, by: [1]) == (state != .deleted))
        #expect(Viewer.author([1]).sees(state, by: [2]) == (state == .published))
        #expect(Viewer.anyone.sees(state, by: [1]) == (state == .published))
        #expect(Viewer.moderator.sees(state, by: [1]) == (state != .deleted))
    }
}
