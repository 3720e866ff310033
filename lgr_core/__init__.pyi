from lgr_core.answer.answer import Answer as Answer
from lgr_core.answer.baselines import compare as compare
from lgr_core.answer.baselines import verdict as verdict
from lgr_core.answer.new_line import NewLineAnswer as NewLineAnswer
from lgr_core.answer.new_line import predict_new_line as predict_new_line
from lgr_core.answer.new_line import with_line_trust as with_line_trust
from lgr_core.answer.own_profile import read_new_line as read_new_line
from lgr_core.answer.predict import predict as predict
from lgr_core.answer.predict import retrieve as retrieve
from lgr_core.answer.trust import with_trust as with_trust
from lgr_core.api.atlases import atlases as atlases
from lgr_core.api.atlases import open_atlas as open_atlas
from lgr_core.api.atlases import open_run as open_run
from lgr_core.api.benchmarking import benchmark as benchmark
from lgr_core.api.notebook_atlas import Atlas as Atlas
from lgr_core.api.own_model import Model as Model
from lgr_core.api.searching import search as search
from lgr_core.atlas.store import AtlasStore as AtlasStore
from lgr_core.atlas.unseen_drug import UnseenDrug as UnseenDrug
from lgr_core.atlas.unseen_drug import with_unseen_drug as with_unseen_drug
from lgr_core.config import Settings as Settings
from lgr_core.domain import CandidatePool as CandidatePool
from lgr_core.domain import Condition as Condition
from lgr_core.domain import Evidence as Evidence
from lgr_core.domain import Neighbor as Neighbor
from lgr_core.domain import Prediction as Prediction
from lgr_core.domain import Reason as Reason
from lgr_core.domain import Rejected as Rejected
from lgr_core.domain import Retrieval as Retrieval
from lgr_core.domain import StructuredReason as StructuredReason
from lgr_core.domain import ValueKind as ValueKind
from lgr_core.errors import LgrError as LgrError
from lgr_core.evaluation.run_store import Run as Run
from lgr_core.retrieval.llm_question import LLMOptions as LLMOptions
from lgr_core.retrieval.llm_question import Policy as Policy
from lgr_core.retrieval.llm_question import Scope as Scope
from lgr_core.retrieval.manual_selector import NamedSelector as NamedSelector
from lgr_core.retrieval.parse_query import read_query as read_query
from lgr_core.retrieval.setup import llm_selector as llm_selector

__all__ = [
    "Answer",
    "Atlas",
    "AtlasStore",
    "CandidatePool",
    "Condition",
    "Evidence",
    "LLMOptions",
    "LgrError",
    "Model",
    "NamedSelector",
    "Neighbor",
    "NewLineAnswer",
    "Policy",
    "Prediction",
    "Reason",
    "Rejected",
    "Retrieval",
    "Run",
    "Scope",
    "Settings",
    "StructuredReason",
    "UnseenDrug",
    "ValueKind",
    "atlases",
    "benchmark",
    "compare",
    "llm_selector",
    "open_atlas",
    "open_run",
    "predict",
    "predict_new_line",
    "read_new_line",
    "read_query",
    "retrieve",
    "search",
    "verdict",
    "with_line_trust",
    "with_trust",
    "with_unseen_drug",
]
