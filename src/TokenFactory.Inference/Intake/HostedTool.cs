using System.Text.Json;

namespace TokenFactory.Inference.Intake;

/// <summary>
/// Which tools of OpenAI's Responses may be asked for: those that the caller runs, and those that a vendor runs by itself on nothing but the
/// request. A closed list, since a tool that nobody here knows could reach what other tenants keep, or a place that no policy has judged.
/// </summary>
internal static class HostedTool
{
    /// <summary>The reader stands on the tool's opening brace, and afterwards on its closing one.</summary>
    public static GatewayError? Judge(ref BodyJson json, int index)
    {
        string? type = null;
        var hasSharedState = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isType = json.ValueTextEquals("type"u8);
            var isPlace = json.ValueTextEquals("container"u8) || json.ValueTextEquals("environment"u8);
            json.Read();
            if (isType && json.TokenType == JsonTokenType.String)
            {
                if (type is not null)
                {
                    return GatewayError.InvalidValue($"tools[{index}].type", "A tool's 'type' is given more than once. Give it once.");
                }

                type = json.GetString();
            }
            else if (isPlace)
            {
                hasSharedState |= NamesSharedState(ref json);
            }
            else
            {
                json.Skip();
            }
        }

        return type switch
        {
            null => GatewayError.InvalidValue($"tools[{index}].type", "Each tool must have a 'type'."),
            "code_interpreter" or "shell" when hasSharedState => GatewayError.Unsupported($"tools[{index}]",
                $"A '{type}' may not name a container or files: the vendor keeps them for all of the gateway's tenants together. Use a container of type 'auto' without files."),
            "function" or "custom" or "computer" or "computer_use_preview" or "local_shell" or "apply_patch" or "code_interpreter" or "shell" => null,
            "web_search" or "web_search_2025_08_26" or "web_search_preview" or "web_search_preview_2025_03_11" => null,
            "mcp" => GatewayError.Unsupported($"tools[{index}]", "An 'mcp' tool would send data to a place that the policy has not judged. Call it yourself and offer it as a tool of type 'function'."),
            "file_search" => GatewayError.Unsupported($"tools[{index}]", "'file_search' searches what the vendor keeps for all of the gateway's tenants together. Search yourself and send what was found in 'input'."),
            "image_generation" => GatewayError.Unsupported($"tools[{index}]", "'image_generation' is another model's work, which the usage of this one does not tell."),
            _ => GatewayError.Unsupported($"tools[{index}]", "The gateway does not know this type of tool, so it cannot vouch for where its data goes. Use 'function', 'custom', 'web_search' or 'code_interpreter'."),
        };
    }

    /// <summary>A container by its id, or one with files in it; <c>{"type":"auto"}</c> and <c>{"type":"local"}</c> are of this request alone.</summary>
    private static bool NamesSharedState(ref BodyJson json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            var isSomething = json.TokenType != JsonTokenType.Null;
            json.Skip();
            return isSomething;
        }

        var shared = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isOwn = json.ValueTextEquals("type"u8) || json.ValueTextEquals("memory_limit"u8);
            json.Read();
            shared |= isOwn ? json.TokenType == JsonTokenType.String && json.ValueTextEquals("container_reference"u8) : json.TokenType != JsonTokenType.Null;
            json.Skip();
        }

        return shared;
    }
}
