using System.Diagnostics;
using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Inference;

/// <summary>The labels of one call to a backend. All of them come from the configuration, so their number is bounded
/// however many names callers invent.</summary>
/// <param name="Operation">The GenAI name: <c>chat</c>, <c>text_completion</c>, <c>embeddings</c>.</param>
internal readonly record struct ModelCall(string Operation, string Provider, string RequestModel, string ResponseModel)
{
    /// <summary>Stands for every name that only a pattern matched.</summary>
    public const string OtherModel = "other";

    public static ModelCall Of(Operations operation, ModelRoute route, Deployment deployment)
    {
        var model = LabelOf(route);
        return new ModelCall(GenAiNameOf(operation), deployment.Provider.Name, model, deployment.UpstreamModel ?? model);
    }

    public static string LabelOf(ModelRoute? route) =>
        route is { Pattern.Kind: PatternKind.Exact } ? route.Pattern.Literal : OtherModel;

    public TagList ToTags() => new()
    {
        { "gen_ai.operation.name", Operation },
        { "gen_ai.provider.name", Provider },
        { "gen_ai.request.model", RequestModel },
        { "gen_ai.response.model", ResponseModel },
    };

    private static string GenAiNameOf(Operations operation) =>
        operation == Operations.Completions ? "text_completion" : OperationNames.Of(operation);
}
