using TokenFactory.Inference.ReadModel;
using TokenFactory.Inference.ReadModel.Routes;

namespace TokenFactory.Administration.Configuration.Reading.Sections;

/// <summary>The <c>models</c>: public names and patterns, and the deployments that serve them.</summary>
internal static class ModelSection
{
    public static Named<ModelRoute> Read(Field field, Named<Deployment> deployments)
    {
        var routes = new Named<ModelRoute>("model");
        foreach (var item in field.Items(10_000) ?? [])
        {
            if (item.Required("a model").Section() is { } section)
            {
                Read(section, deployments, routes);
            }
        }

        if (!routes.Has(Builtin.Name))
        {
            var target = new RouteTarget(deployments.Values.First(d => d.Name == Builtin.Name), 0, 1);
            routes.Add(field, Builtin.Name, new ModelRoute(ModelPattern.Parse(Builtin.Name), [target], LimitSet.None));
        }

        return routes;
    }

    /// <summary>An allow-list: null when absent (everything), empty when nothing is allowed.</summary>
    public static ModelAllowList AllowList(Field field)
    {
        if (field.Items() is not { } items)
        {
            return ModelAllowList.All;
        }

        return ModelAllowList.Of(items.Select(item => PatternOf(item.Required("a model name or pattern")))
            .OfType<ModelPattern>()
            .Select(pattern => pattern.ToString()));
    }

    private static void Read(Section section, Named<Deployment> deployments, Named<ModelRoute> routes)
    {
        var nameField = section["name"];
        var matchField = section["match"];
        if (nameField.IsPresent == matchField.IsPresent)
        {
            section.Mistake("write either name (one model) or match (a pattern)");
        }

        var name = nameField.Text();
        if (name?.Contains('*') == true)
        {
            nameField.Mistake("a name has no asterisk: write match for a pattern");
            name = null;
        }

        var patternField = name is null ? matchField : nameField;
        var pattern = PatternOf(patternField);
        var targets = Targets(section["deployments"], deployments);
        var strategy = RoutingSection.ReadModel(section);
        var limits = Limits.Read(section, withBudgets: false);
        section.RefuseUnknownKeys();
        if (pattern is { } known)
        {
            routes.Add(patternField, known.ToString(), new ModelRoute(known, targets, limits) { Strategy = strategy });
        }
    }

    private static List<RouteTarget> Targets(Field field, Named<Deployment> deployments)
    {
        var targets = new List<RouteTarget>();
        var items = field.Required("at least one deployment: [ { use: NAME } ]").Items(256);
        if (items is { Count: 0 })
        {
            field.Mistake("empty: name at least one deployment: [ { use: NAME } ]");
        }

        foreach (var item in items ?? [])
        {
            if (item.Required("a deployment").Section() is not { } section)
            {
                continue;
            }

            var deployment = deployments.Find(section["use"].Required("the name of a deployment"));
            var priority = section["priority"].Whole(0, 1000) ?? 0;
            var weight = section["weight"].Whole(1, 1_000_000) ?? 1;
            section.RefuseUnknownKeys();
            if (deployment is null)
            {
                continue;
            }

            if (targets.Exists(target => target.Deployment == deployment))
            {
                section["use"].Mistake($"'{deployment.Name}' is listed twice: give it one weight");
            }

            targets.Add(new RouteTarget(deployment, (int)priority, (int)weight));
        }

        return targets;
    }

    private static ModelPattern? PatternOf(Field field)
    {
        if (field.Text() is not { } text)
        {
            return null;
        }

        if (text.Any(char.IsWhiteSpace))
        {
            field.Mistake("a model name or pattern has no spaces");
            return null;
        }

        try
        {
            return ModelPattern.Parse(text);
        }
        catch (FormatException e)
        {
            field.Mistake(e.Message);
            return null;
        }
    }
}
