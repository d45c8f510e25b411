using TokenFactory.Inference.ReadModel.Policies;

namespace TokenFactory.Inference.Policy;

/// <summary>Bundle and question → verdict. Pure: equal inputs, equal verdicts.</summary>
public static class PolicyEngine
{
    public const string NotAllowed = "not_allowed";
    public const string ControlsMissing = "controls_missing";

    /// <summary>The first declared word outside the bundle's vocabulary; null when all are known.</summary>
    public static PolicyAttribute? UnknownWord(PolicyBundle bundle, PolicyQuestion question)
    {
        foreach (var (attribute, words) in bundle.Vocabulary)
        {
            if (attribute == PolicyAttribute.Control)
            {
                if (question.Governance.Controls.Any(control => !words.Contains(control)))
                {
                    return attribute;
                }

                continue;
            }

            // The tier of the key is the operator's word; only what the caller declares can be unknown.
            var declared = attribute == PolicyAttribute.Tier ? question.Governance.Tier ?? RuleCondition.Undeclared : question.WordsOf(attribute).First;
            if (declared != RuleCondition.Undeclared && !words.Contains(declared))
            {
                return attribute;
            }
        }

        return null;
    }

    public static Verdict Judge(PolicyBundle bundle, PolicyQuestion question)
    {
        if (bundle.Rules.Count == 0 && bundle.AllowsByDefault)
        {
            return Verdict.Nothing;
        }

        List<string> matched = [], reasons = [], deniedBy = [];
        List<Restriction> restrictions = [];
        var allowed = bundle.AllowsByDefault;
        foreach (var rule in bundle.Rules)
        {
            if (!Matches(rule.When, question, everyWord: false))
            {
                continue;
            }

            matched.Add(rule.Id);
            if (rule.Restrict is { } restriction)
            {
                restrictions.Add(restriction);
            }

            var missing = rule.Controls.Where(control => !question.Governance.Controls.Contains(control)).ToList();
            if (rule.Deny is { } codes)
            {
                deniedBy.Add(rule.Id);
                reasons.AddRange(codes);
            }
            else if (missing.Count > 0)
            {
                deniedBy.Add(rule.Id);
                reasons.Add(ControlsMissing);
                reasons.AddRange(missing.Order(StringComparer.Ordinal).Select(control => $"control:{control}"));
            }

            allowed |= rule.Allow && Matches(rule.When, question, everyWord: true);
        }

        if (!allowed && reasons.Count == 0)
        {
            reasons.Add(NotAllowed);
        }

        return new Verdict(matched, [.. reasons.Distinct(StringComparer.Ordinal)], deniedBy, restrictions);
    }

    private static bool Matches(RuleCondition condition, PolicyQuestion question, bool everyWord)
    {
        foreach (var (attribute, words) in condition.AnyOf)
        {
            var (first, second) = question.WordsOf(attribute);
            var (one, other) = (words.Contains(first), second is null ? everyWord : words.Contains(second));
            if (everyWord ? !(one && other) : !(one || other))
            {
                return false;
            }
        }

        return condition.MissingControls.Count == 0 || condition.MissingControls.Any(control => !question.Governance.Controls.Contains(control));
    }
}
