using Bulwark.Monitoring;
using Bulwark.Privacy;
using Bulwark.Training;
using Bulwark.Worker;

namespace Bulwark.Cli.Making;

/// <summary>The input screen of a training run: contract, relations, distance, threshold.</summary>
internal static class FittedScreen
{
    private const double FalsePositiveRate = 0.01;

    /// <summary>By exact moments of the training rows; relations are learnt from them too, as many as the declared ones leave room for.</summary>
    internal static InputScreen Of(TrainingRequest request, EncodedDataset train, EncodedDataset test, CancellationToken cancel)
    {
        var (mean, covariance) = InputScreen.Moments(train.Features, train.Width);
        var fields = ScreenContract.Of(request.Train.Schema);
        var learnt = request.LearnRelations ? RelationLearner.Learn(fields, request.Train.Raw, request.Test.Raw, Room(Declared(request)), cancel) : new([], null);
        var declared = request.Relations.Select(relation => relation.Rule).ToHashSet(StringComparer.Ordinal);
        var names = request.Relations.Select(relation => relation.Name).ToHashSet(StringComparer.Ordinal);
        ScreenRelation[] relations = [.. request.Relations, .. learnt.Relations.Where(relation => !declared.Contains(relation.Rule) && !names.Contains(relation.Name))];
        return With(InputScreen.Fit(fields, mean, covariance).Calibrate(test.Features, FalsePositiveRate), relations, learnt.Check);
    }

    /// <summary>By moments that were paid for: of private rows nothing else is learnt, so its relations are the declared ones.</summary>
    internal static InputScreen OfPrivate(TrainingRequest request, PrivateMoments moments, EncodedDataset test) => With(
        InputScreen.Fit(ScreenContract.Of(request.Train.Schema), [.. moments.Mean], [.. moments.Covariance]).Calibrate(test.Features, FalsePositiveRate), request.Relations, null);

    /// <summary>Refuses declared relations that are not well formed, or that real rows break, before anything is trained.</summary>
    internal static void RequireSound(TrainingRequest request) => ScreenRefusals.RequireKept(Declared(request), request);

    private static InputScreen Declared(TrainingRequest request) => With(InputScreen.OfContract(ScreenContract.Of(request.Train.Schema)), request.Relations, null);

    /// <summary>What the learner may take: a screen has room for so many relations and operations together.</summary>
    internal static RelationOptions Room(InputScreen declared)
    {
        var usual = new RelationOptions();
        return usual with
        {
            MostRelations = Math.Min(usual.MostRelations, InputScreen.MostRelations - declared.Relations.Count),
            MostOperations = Math.Min(usual.MostOperations, InputScreen.MostRelationOperations - declared.RelationOperations),
        };
    }

    private static InputScreen With(InputScreen screen, IReadOnlyList<ScreenRelation> relations, RelationCheck? check)
    {
        try
        {
            return relations.Count == 0 ? screen : screen.WithRelations(relations, check);
        }
        catch (ArgumentException fault)
        {
            throw new CommandException($"The relations do not fit: {fault.Message}", "the language of relations is described in docs/formats/constraints.md");
        }
    }
}
