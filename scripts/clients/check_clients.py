"""python check_clients.py SERVED.json [NAME]: runs the Python clients that are installed, those whose package has NAME in it, against a server.

SERVED.json is what run.ts writes: the server's address and key, and what the library itself says. Prints a line of JSON for each call: client,
version (none where it is not installed), route, what, and error where it failed. Vectors are compared as float32, bit by bit; scores as numbers.
"""

import json
import os
import re
import struct
import sys
from importlib.metadata import PackageNotFoundError, version

os.environ.pop("HF_HUB_OFFLINE", None)  # it would keep InferenceClient from this machine too
os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", ANONYMIZED_TELEMETRY="False", HAYSTACK_TELEMETRY_ENABLED="False")
os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR")

served = json.load(open(sys.argv[1], encoding="utf-8"))
wanted = sys.argv[2] if len(sys.argv) > 2 else ""
base, key, expected = served["address"], served["key"], served["expected"]
texts, vectors, narrow, ranking = (expected[name] for name in ("texts", "vectors", "narrow", "ranking"))
checks = []


def check(client, route, what):
    """Registers a function as one call of a client."""

    def register(run):
        checks.append((client, route, what, run))
        return run

    return register


def same_vectors(actual, wanted_vectors):
    """Compares vectors as float32, bit by bit."""
    bits = lambda rows: [struct.pack(f"<{len(row)}f", *map(float, row)) for row in rows]
    assert bits(actual) == bits(wanted_vectors), f"other vectors, {len(list(actual))} of {len(wanted_vectors)}"


def same(actual, wanted_value):
    """Compares numbers, strings, and lists and dicts of them."""
    assert actual == wanted_value, f"expected {wanted_value} but received {actual}"


def refused(call, pattern):
    """Expects an error that tells the client's user what the server said."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - every client has errors of its own
        said = " ".join(str(each) for each in (error, getattr(error, "body", ""), getattr(error, "server_message", "")))
        response = getattr(error, "response", None)
        said += " " + (getattr(response, "text", "") or "")
        assert re.search(pattern, said), f"expected an error with {pattern} but received {said[:300]}"
        return
    raise AssertionError(f"expected an error with {pattern} but the call was answered")


def ranks(results):
    return [{"index": each.index, "score": each.relevance_score} for each in results]


@check("openai", "POST /v1/embeddings", "base64, float with dimensions, token ids; an empty text")
def _():
    from openai import OpenAI

    client = OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0)
    found = client.embeddings.create(model="minilm", input=texts)
    same_vectors([each.embedding for each in found.data], vectors)
    same(found.usage.prompt_tokens, expected["tokens"])
    found = client.embeddings.create(model="minilm", input=texts, encoding_format="float", dimensions=len(narrow[0]))
    same_vectors([each.embedding for each in found.data], narrow)
    found = client.embeddings.create(model="minilm", input=expected["ids"])
    same_vectors([each.embedding for each in found.data], vectors)
    same([each.id for each in client.models.list()], expected["models"])
    refused(lambda: client.embeddings.create(model="minilm", input=""), "it is empty")


@check("cohere", "POST /v2/rerank", "ClientV2.rerank; an empty query")
def _():
    import cohere

    client = cohere.ClientV2(base_url=base, api_key=key)
    found = client.rerank(model="reranker", query=expected["query"], documents=texts, top_n=3, max_tokens_per_doc=4096)
    same(ranks(found.results), ranking[:3])
    refused(lambda: client.rerank(model="reranker", query="", documents=texts), "query but it is empty")


@check("cohere", "POST /v1/rerank", "Client.rerank, documents back")
def _():
    import cohere

    client = cohere.Client(base_url=base, api_key=key)
    found = client.rerank(model="reranker", query=expected["query"], documents=texts, return_documents=True)
    same(ranks(found.results), ranking)
    same([each.document.text for each in found.results], [texts[each["index"]] for each in ranking])


@check("cohere", "POST /v2/embed", "ClientV2.embed, float and int8")
def _():
    import cohere

    client = cohere.ClientV2(base_url=base, api_key=key)
    found = client.embed(model="minilm", texts=texts, input_type="search_document", embedding_types=["float", "int8"])
    same_vectors(found.embeddings.float_, vectors)
    same([len(row) for row in found.embeddings.int8], [len(row) for row in vectors])


@check("cohere", "POST /v1/embed", "Client.embed; a key that is wrong")
def _():
    import cohere

    call = dict(model="minilm", texts=texts, input_type="search_document")
    same_vectors(cohere.Client(base_url=base, api_key=key).embed(**call).embeddings, vectors)
    refused(lambda: cohere.Client(base_url=base, api_key="wrong").embed(**call), "401|key")


@check("voyageai", "POST /v1/embeddings", "embed; an empty text")
def _():
    import voyageai

    client = voyageai.Client(api_key=key, base_url=f"{base}/v1", max_retries=0)
    same_vectors(client.embed(texts, model="minilm", input_type="document").embeddings, vectors)
    refused(lambda: client.embed([""], model="minilm"), "it is empty")


@check("voyageai", "POST /v1/rerank", "rerank")
def _():
    import voyageai

    client = voyageai.Client(api_key=key, base_url=f"{base}/v1", max_retries=0)
    found = client.rerank(expected["query"], texts, model="reranker", top_k=2)
    same(ranks(found.results), ranking[:2])
    same([each.document for each in found.results], [texts[each["index"]] for each in ranking[:2]])


def hub_client(model):
    from huggingface_hub import InferenceClient

    return InferenceClient(model=f"{base}/models/{model}", token=key)


def fields(results, *names):
    return [{name: getattr(each, name) for name in names} for each in results]


@check("huggingface_hub", "POST /models/minilm", "feature_extraction; an empty text")
def _():
    same_vectors(hub_client("minilm").feature_extraction(texts), vectors)
    refused(lambda: hub_client("minilm").feature_extraction(""), "it is empty")


@check("huggingface_hub", "POST /models/minilm/embed", "feature_extraction, normalize, truncate")
def _():
    same_vectors(hub_client("minilm/embed").feature_extraction(texts, normalize=True, truncate=True, truncation_direction="right"), vectors)


@check("huggingface_hub", "POST /models/minilm", "sentence_similarity")
def _():
    same(hub_client("minilm").sentence_similarity(expected["query"], other_sentences=texts), expected["similarities"])


@check("huggingface_hub", "POST /models/classifier", "text_classification; a key that is wrong")
def _():
    same(fields(hub_client("classifier").text_classification(expected["sentence"]), "label", "score"), expected["labels"])
    from huggingface_hub import InferenceClient

    refused(lambda: InferenceClient(model=f"{base}/models/classifier", token="wrong").text_classification("a"), "401")


@check("huggingface_hub", "POST /models/entities", "token_classification")
def _():
    found = hub_client("entities").token_classification(expected["sentence"], aggregation_strategy="simple")
    names = ("entity_group", "score", "word", "start", "end")
    same(fields(found, *names), [{name: each[name] for name in names} for each in expected["entities"]])


@check("huggingface_hub", "POST /models/answers", "question_answering")
def _():
    found = hub_client("answers").question_answering(question=expected["question"], context=expected["sentence"])
    found = found[0] if isinstance(found, list) else found
    names = ("answer", "score", "start", "end")
    same({name: getattr(found, name) for name in names}, {name: expected["answer"][name] for name in names})


@check("huggingface_hub", "POST /models/masks", "fill_mask")
def _():
    found = hub_client("masks").fill_mask(expected["masked"], top_k=2)
    same(fields(found, "score", "token", "token_str", "sequence"), [
        {name: each[name] for name in ("score", "token", "token_str", "sequence")} for each in expected["candidates"]
    ])


@check("huggingface_hub", "POST /models/nli", "zero_shot_classification")
def _():
    found = hub_client("nli").zero_shot_classification(expected["sentence"], candidate_labels=expected["topics"])
    same(fields(found, "label", "score"), expected["chosen"])


@check("chromadb-client", "POST /models/minilm/embed", "HuggingFaceEmbeddingServer; a key that is wrong")
def _():
    from chromadb.utils.embedding_functions import HuggingFaceEmbeddingServer

    os.environ["BERTHA_CHECK_KEY"] = key
    url = f"{base}/models/minilm/embed"
    same_vectors(HuggingFaceEmbeddingServer(url=url, api_key_env_var="BERTHA_CHECK_KEY")(texts), vectors)
    os.environ["BERTHA_CHECK_KEY"] = "wrong"
    refused(lambda: HuggingFaceEmbeddingServer(url=url, api_key_env_var="BERTHA_CHECK_KEY")(["a"]), ".")


@check("chromadb-client", "POST /v1/embeddings", "OpenAIEmbeddingFunction")
def _():
    from chromadb.utils.embedding_functions import OpenAIEmbeddingFunction

    os.environ["BERTHA_CHECK_KEY"] = key
    function = OpenAIEmbeddingFunction(api_key_env_var="BERTHA_CHECK_KEY", model_name="minilm", api_base=f"{base}/v1")
    same_vectors(function(texts), vectors)


@check("haystack-ai", "POST /v1/embeddings", "OpenAITextEmbedder, OpenAIDocumentEmbedder; an empty text")
def _():
    from haystack import Document
    from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
    from haystack.utils import Secret

    call = dict(api_base_url=f"{base}/v1", api_key=Secret.from_token(key), model="minilm", max_retries=0)
    same_vectors([OpenAITextEmbedder(**call).run(text)["embedding"] for text in texts], vectors)
    found = OpenAIDocumentEmbedder(progress_bar=False, **call).run([Document(content=text) for text in texts])
    same_vectors([each.embedding for each in found["documents"]], vectors)
    refused(lambda: OpenAITextEmbedder(**call).run(""), "it is empty")


@check("langchain-openai", "POST /v1/embeddings", "OpenAIEmbeddings; OpenAI's own token ids")
def _():
    from langchain_openai import OpenAIEmbeddings

    call = dict(base_url=f"{base}/v1", api_key=key, model="minilm", check_embedding_ctx_length=False, max_retries=0)
    same_vectors(OpenAIEmbeddings(**call).embed_documents(texts), vectors)
    same_vectors([OpenAIEmbeddings(**call).embed_query(texts[1])], [vectors[1]])
    refused(lambda: OpenAIEmbeddings(**call).embed_query(""), "it is empty")
    refused(lambda: OpenAIEmbeddings(**call).client.create(model="minilm", input=[[100257]]), "check_embedding_ctx_length=False")


@check("langchain-huggingface", "POST /models/minilm", "HuggingFaceEndpointEmbeddings over InferenceClient(model=URL)")
def _():
    from langchain_huggingface import HuggingFaceEndpointEmbeddings

    embeddings = HuggingFaceEndpointEmbeddings(model="bertha/minilm", huggingfacehub_api_token=key)
    embeddings.client = hub_client("minilm")
    same_vectors(embeddings.embed_documents(texts), vectors)
    same_vectors([embeddings.embed_query(texts[1])], [vectors[1]])
    refused(lambda: embeddings.embed_query(""), "it is empty")


@check("langchain-cohere", "POST /v2/rerank", "CohereRerank.compress_documents; an empty query")
def _():
    from langchain_cohere import CohereRerank
    from langchain_core.documents import Document

    compressor = CohereRerank(base_url=base, cohere_api_key=key, model="reranker", top_n=2)
    documents = [Document(page_content=text) for text in texts]
    found = compressor.compress_documents(documents, expected["query"])
    same([(each.page_content, each.metadata["relevance_score"]) for each in found], [(texts[each["index"]], each["score"]) for each in ranking[:2]])
    refused(lambda: compressor.compress_documents(documents, ""), "query but it is empty")


@check("llama-index-embeddings-text-embeddings-inference", "POST /models/minilm/embed", "batches of two, a query; a key that is wrong")
def _():
    from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference

    at = lambda token: TextEmbeddingsInference(
        base_url=f"{base}/models/minilm", model_name="minilm", embed_batch_size=2, auth_token=token,
        text_instruction="", query_instruction="",
    )
    same_vectors(at(key).get_text_embedding_batch(texts), vectors)
    same_vectors([at(key).get_query_embedding(texts[1])], [vectors[1]])
    refused(lambda: at("wrong").get_query_embedding("a"), ".")


@check("llama-index-postprocessor-tei-rerank", "POST /models/reranker/rerank", "postprocess_nodes")
def _():
    from llama_index.core.schema import NodeWithScore, TextNode
    from llama_index.postprocessor.tei_rerank import TextEmbeddingInference

    reranker = TextEmbeddingInference(base_url=f"{base}/models/reranker", auth_token=f"Bearer {key}", top_n=2, model_name="reranker")
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in texts]
    found = reranker.postprocess_nodes(nodes, query_str=expected["query"])
    same([(each.node.get_content(), each.score) for each in found], [(texts[each["index"]], each["score"]) for each in ranking[:2]])


@check("llama-index-embeddings-openai-like", "POST /v1/embeddings", "get_text_embedding_batch; an empty text")
def _():
    from llama_index.embeddings.openai_like import OpenAILikeEmbedding

    embedding = OpenAILikeEmbedding(model_name="minilm", api_base=f"{base}/v1", api_key=key, max_retries=1)
    same_vectors(embedding.get_text_embedding_batch(texts), vectors)
    refused(lambda: embedding.get_text_embedding_batch([""]), "it is empty")


@check("llama-index-postprocessor-cohere-rerank", "POST /v2/rerank", "postprocess_nodes")
def _():
    from llama_index.core.schema import NodeWithScore, TextNode
    from llama_index.postprocessor.cohere_rerank import CohereRerank

    nodes = [NodeWithScore(node=TextNode(text=text)) for text in texts]
    found = CohereRerank(base_url=base, api_key=key, model="reranker", top_n=2).postprocess_nodes(nodes, query_str=expected["query"])
    same([(each.node.get_content(), each.score) for each in found], [(texts[each["index"]], each["score"]) for each in ranking[:2]])


@check("litellm", "POST /v1/embeddings", "embedding; an empty text")
def _():
    import litellm

    call = dict(model="openai/minilm", api_base=f"{base}/v1", api_key=key, max_retries=0)
    same_vectors([each["embedding"] for each in litellm.embedding(input=texts, **call).data], vectors)
    refused(lambda: litellm.embedding(input=[""], **call), "it is empty")


def rerank_with(provider, address):
    @check("litellm", "rerank", f"rerank {provider}")
    def _():
        import litellm

        call = dict(model=f"{provider}/reranker", api_base=address, api_key=key, query=expected["query"], documents=texts, top_n=2)
        found = litellm.rerank(**call)
        same([(each["index"], each["relevance_score"]) for each in found.results], [(each["index"], each["score"]) for each in ranking[:2]])


for provider, address in (
    ("cohere", f"{base}/v2/rerank"),
    ("jina_ai", base),
    ("huggingface", base),
    ("hosted_vllm", base),
    ("voyage", base),
):
    rerank_with(provider, address)


def version_of(client):
    try:
        return version(client)
    except PackageNotFoundError:
        return "none"


def outcome_of(run, installed):
    if installed == "none":
        return {"error": "not installed"}
    try:
        run()
        return {}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this call's failure
        return {"error": f"{type(error).__name__}: {error}"[:1000]}


for client, route, what, run in checks:
    if wanted not in client:
        continue
    installed = version_of(client)
    print(json.dumps({"client": client, "version": installed, "route": route, "what": what, **outcome_of(run, installed)}), flush=True)
